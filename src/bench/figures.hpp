// Figures as people read them. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace linnet::bench {

/// 1234567 becomes "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t number);
/// With this many digits behind the point.
[[nodiscard]] std::string fixed(double number, int digits);
/// "840 ns", "12.3 us", "4.56 ms", "1.20 s".
[[nodiscard]] std::string time_text(std::uint64_t time_ns);
/// "812 B", "10.4 KiB", "3.1 MiB".
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

}  // namespace linnet::bench
