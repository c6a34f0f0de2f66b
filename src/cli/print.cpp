#include <string_view>
#include <unistd.h>

#include "cli/options.hpp"

namespace linnet::cli {
namespace {

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count <= 0) return;  // nobody is left to tell
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace

void print_line(const std::string& text) {
  write_all(STDOUT_FILENO, text + '\n');
}

void print_error(const std::string& text) {
  write_all(STDERR_FILENO, text + '\n');
}

}  // namespace linnet::cli
