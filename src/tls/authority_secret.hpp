// Bytes of keys, wiped when they are done with. One thread per object.
#pragma once

#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace linnet::tls {

class Secret {
 public:
  Secret() noexcept = default;
  Secret(Secret&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      bytes_ = std::exchange(other.bytes_, {});
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(); }

  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), bytes_.size()}; }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }

  void append(std::string_view text) {
    if (bytes_.size() + text.size() > bytes_.capacity()) {
      // By hand, since a vector that grows leaves its old bytes behind.
      std::vector<char> larger;
      larger.reserve(2 * bytes_.capacity() + text.size());
      larger.assign(bytes_.begin(), bytes_.end());
      wipe();
      bytes_.swap(larger);
    }
    bytes_.insert(bytes_.end(), text.begin(), text.end());
  }

 private:
  void wipe() noexcept {
    if (!bytes_.empty()) explicit_bzero(bytes_.data(), bytes_.size());
    bytes_.clear();
  }

  std::vector<char> bytes_;
};

}  // namespace linnet::tls
