#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace linnet {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  // Not through the log: it may hold a lock right now, or be what is broken.
  std::fprintf(stderr, "linnet: bug: %s does not hold at %s:%d\n", condition, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace linnet
