// The units that the table's ranges are written in.
#pragma once

#include <cstdint>

namespace linnet::config {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;
inline constexpr std::uint64_t kGiB = 1024 * kMiB;
inline constexpr std::uint64_t kTiB = 1024 * kGiB;
inline constexpr std::uint64_t kSecondMs = 1000;
inline constexpr std::uint64_t kMinuteMs = 60 * kSecondMs;
inline constexpr std::uint64_t kHourMs = 60 * kMinuteMs;
inline constexpr std::uint64_t kDayMs = 24 * kHourMs;

}  // namespace linnet::config
