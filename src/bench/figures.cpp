#include "bench/figures.hpp"

#include <array>
#include <charconv>

#include "base/cat.hpp"

namespace linnet::bench {

std::string grouped(std::uint64_t number) {
  std::string text = cat(number);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string fixed(double number, int digits) {
  std::array<char, 400> room{};
  const auto done = std::to_chars(room.data(), room.data() + room.size(), number,
                                  std::chars_format::fixed, digits);
  return {room.data(), done.ptr};
}

std::string time_text(std::uint64_t time_ns) {
  const auto time = static_cast<double>(time_ns);
  if (time_ns < 1'000) return cat(time_ns, " ns");
  if (time_ns < 1'000'000) return cat(fixed(time / 1e3, 1), " us");
  if (time_ns < 1'000'000'000) return cat(fixed(time / 1e6, 2), " ms");
  return cat(fixed(time / 1e9, 2), " s");
}

std::string bytes_text(std::uint64_t bytes) {
  const auto size = static_cast<double>(bytes);
  if (bytes < 1024) return cat(bytes, " B");
  if (bytes < 1024 * 1024) return cat(fixed(size / 1024, 1), " KiB");
  return cat(fixed(size / (1024 * 1024), 1), " MiB");
}

}  // namespace linnet::bench
