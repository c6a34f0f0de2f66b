// A number of 64 bits, as configurations have them, as a size of this machine's: on 32-bit systems,
// a limit of 4 GiB or more becomes the largest size there, and never a small one. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace linnet {

[[nodiscard]] constexpr std::size_t to_size(std::uint64_t number) noexcept {
  constexpr std::uint64_t kMost = std::numeric_limits<std::size_t>::max();
  return static_cast<std::size_t>(number < kMost ? number : kMost);
}

}  // namespace linnet
