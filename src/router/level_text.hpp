// The text of one level of a topic filter, as a node of the trie keeps it: 16 bytes, and nothing
// beside them up to 14 bytes of text.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace linnet::router {

class LevelText {
 public:
  LevelText() noexcept = default;
  LevelText(const LevelText&) = delete;
  LevelText& operator=(const LevelText&) = delete;
  ~LevelText() { clear(); }

  /// At most 65,535 bytes.
  void assign(std::string_view text) {
    clear();
    if (text.size() > kInlineMax) {
      char* block = new char[text.size()];
      std::memcpy(block, text.data(), text.size());
      std::memcpy(bytes_.data(), &block, sizeof block);
    } else if (!text.empty()) {
      std::memcpy(bytes_.data(), text.data(), text.size());
    }
    size_ = static_cast<std::uint16_t>(text.size());
  }
  void clear() noexcept {
    if (size_ > kInlineMax) delete[] block();
    size_ = 0;
  }
  [[nodiscard]] std::string_view view() const noexcept {
    return {size_ > kInlineMax ? block() : bytes_.data(), size_};
  }

 private:
  static constexpr std::size_t kInlineMax = 14;

  [[nodiscard]] char* block() const noexcept {
    char* block = nullptr;
    std::memcpy(&block, bytes_.data(), sizeof block);
    return block;
  }

  std::array<char, kInlineMax> bytes_;  // the text, or the address of a block that holds it
  std::uint16_t size_ = 0;
};

}  // namespace linnet::router
