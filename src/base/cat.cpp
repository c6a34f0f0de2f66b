#include "base/cat.hpp"

#include <iterator>

namespace linnet {

void CatPiece::write(std::uint64_t value, bool negative) noexcept {
  char* at = std::end(digits_);
  do {
    *--at = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  if (negative) *--at = '-';
  text_ = {at, static_cast<std::size_t>(std::end(digits_) - at)};
}

std::string join(std::span<const CatPiece> pieces) {
  std::size_t size = 0;
  for (const CatPiece& piece : pieces)
    size += piece.text().size();
  std::string text;
  text.reserve(size);
  for (const CatPiece& piece : pieces)
    text += piece.text();
  return text;
}

}  // namespace linnet
