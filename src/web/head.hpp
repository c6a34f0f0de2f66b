// The head of an HTTP request: read as it comes, within bounds.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace linnet::web {

struct Head {
  struct Field {
    std::string name;  // in lower case
    std::string value;
  };

  std::string method;
  std::string target;
  bool is_http_1_1 = false;  // else an older one
  std::vector<Field> fields;

  /// Names are given in lower case.
  [[nodiscard]] std::size_t count(std::string_view name) const noexcept;
  /// The value of the first such field; empty if there is none.
  [[nodiscard]] std::string_view get(std::string_view name) const noexcept;
  /// The values of all such fields as one list, with commas between them.
  [[nodiscard]] std::string joined(std::string_view name) const;
  /// The target without its query.
  [[nodiscard]] std::string_view path() const noexcept;
};

/// Whether a comma-separated list has the item, without regard to case.
[[nodiscard]] bool has_item(std::string_view list, std::string_view item) noexcept;
/// The same, but the case matters.
[[nodiscard]] bool has_exact_item(std::string_view list, std::string_view item) noexcept;

/// One thread at a time.
class HeadReader {
 public:
  enum class State : std::uint8_t {
    incomplete,
    whole,
    bad,       // this is not HTTP/1
    too_long,  // more than kHeadMax
  };
  static constexpr std::uint32_t kHeadMax = 8192;  // bytes

  HeadReader();
  HeadReader(const HeadReader&) = delete;
  HeadReader& operator=(const HeadReader&) = delete;
  ~HeadReader();

  /// Not after it was anything but incomplete.
  [[nodiscard]] State feed(std::string_view bytes);
  /// Once it is whole.
  [[nodiscard]] Head take_head();
  /// What has come behind the head.
  [[nodiscard]] std::string take_rest() noexcept { return std::move(unread_); }

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  std::string unread_;
};

}  // namespace linnet::web
