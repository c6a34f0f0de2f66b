#include "base/utc_text.hpp"

#include <array>

namespace linnet {

std::string utc_text(std::time_t time) {
  std::tm parts{};
  std::array<char, 40> text{};
  if (::gmtime_r(&time, &parts) == nullptr) return {};
  return {text.data(), std::strftime(text.data(), text.size(), "%FT%TZ", &parts)};
}

}  // namespace linnet
