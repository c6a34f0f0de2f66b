// The line of the test that a call stands in. Clang 14 has no std::source_location with GCC's
// library.
#pragma once

namespace linnet::test {

struct Where {
  const char* file = "";
  int line = 0;

  [[nodiscard]] static constexpr Where current(const char* file = __builtin_FILE(),
                                               int line = __builtin_LINE()) noexcept {
    return {file, line};
  }
};

}  // namespace linnet::test
