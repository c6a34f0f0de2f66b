// cat("client ", id, " sent ", 3, " packets"): one string from strings, characters, booleans and
// integers, with one allocation and no locale. For logs and errors, not for hot paths. Any thread.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace linnet {

/// One argument of cat() as text.
class CatPiece {
 public:
  explicit CatPiece(std::string_view text) noexcept : text_(text) {}
  explicit CatPiece(const char* text) noexcept : text_(text) {}
  explicit CatPiece(const std::string& text) noexcept : text_(text) {}
  explicit CatPiece(char character) noexcept : text_(digits_, 1) { digits_[0] = character; }
  explicit CatPiece(bool value) noexcept : text_(value ? "true" : "false") {}
  template <std::signed_integral Int>
  explicit CatPiece(Int value) noexcept {
    const auto bits = static_cast<std::uint64_t>(value);
    write(value < 0 ? 0 - bits : bits, value < 0);
  }
  template <std::unsigned_integral Int>
  explicit CatPiece(Int value) noexcept {
    write(value, false);
  }
  CatPiece(const CatPiece&) = delete;
  CatPiece& operator=(const CatPiece&) = delete;

  [[nodiscard]] std::string_view text() const noexcept { return text_; }

 private:
  void write(std::uint64_t value, bool negative) noexcept;

  char digits_[20];
  std::string_view text_;
};

[[nodiscard]] std::string join(std::span<const CatPiece> pieces);

template <class... Ts>
[[nodiscard]] std::string cat(const Ts&... values) {
  const CatPiece pieces[] = {CatPiece(values)...};
  return join(pieces);
}

}  // namespace linnet
