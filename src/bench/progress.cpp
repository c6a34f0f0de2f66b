#include "bench/progress.hpp"

#include <string>
#include <unistd.h>

#include "base/cat.hpp"
#include "bench/figures.hpp"
#include "bench/network.hpp"

namespace linnet::bench {

namespace {

void write_text(std::string_view text) {
  const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  (void)written;  // nobody is left to see it
}

}  // namespace

void Progress::begin(std::string_view name, std::uint64_t now, std::uint64_t count) noexcept {
  name_ = name;
  began_ = now;
  last_ = now;
  next_ = now + kSecondNs;
  last_count_ = count;
}

void Progress::print(std::uint64_t count, std::uint64_t missing, std::uint64_t now) {
  const std::uint64_t more = count > last_count_ ? count - last_count_ : 0;
  const double seconds = static_cast<double>(now - last_) / 1e9;
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(more) / seconds);
  write_text(cat("\r\033[K", name_, " ", (now - began_) / kSecondNs, " s: ", grouped(rate), "/s, ",
                 grouped(count), " in all, ", grouped(missing), " under way"));
  dirty_ = true;
  last_ = now;
  last_count_ = count;
  next_ = now + kSecondNs;
}

void Progress::clear() {
  if (dirty_) write_text("\r\033[K");
  dirty_ = false;
}

}  // namespace linnet::bench
