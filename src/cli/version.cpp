#include "cli/options.hpp"

namespace linnet::cli {
namespace {

#if defined(__clang__)
constexpr const char* kCompiler = "Clang " __clang_version__;
#else
constexpr const char* kCompiler = "GCC " __VERSION__;
#endif

}  // namespace

std::string version_text() {
  std::string compiler = kCompiler;
  // Some compilers end their version with a blank.
  while (compiler.back() == ' ')
    compiler.pop_back();
  return "linnet " LINNET_VERSION " (" + compiler + ", " LINNET_BUILD_TYPE ")";
}

}  // namespace linnet::cli
