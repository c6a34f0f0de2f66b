// Whether the store in a directory is whole, without opening it as one: its file is read page by
// page (lmdb_file.hpp), every record is examined (examiner.hpp), and they are compared with each
// other. Nothing is changed. No other process and no other thread may use the store meanwhile.
//
//   const Inspection result = inspect(directory, kStartLimits);
//   if (result.verdict == Verdict::damaged) ...
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "store/environment.hpp"

namespace linnet::store {

struct InspectLimits {
  /// Of a larger file only the part is read that a start reads: the list of free pages and the
  /// sessions without their messages.
  std::uint64_t all_bytes_max = UINT64_MAX;
  /// After that the rest is taken as sound. 0: the sessions are not read either.
  std::chrono::milliseconds time_max{1'000'000'000};
};
/// For a start that an orderly end went before: the head record and the list of free pages.
inline constexpr InspectLimits kHeadLimits{0, std::chrono::milliseconds{0}};
/// For a start that a crash went before.
inline constexpr InspectLimits kStartLimits{std::uint64_t{256} << 20,
                                            std::chrono::milliseconds{60'000}};

enum class Verdict : std::uint8_t {
  none,     // there is no store
  sound,    // as far as it was read
  damaged,  // see `problems`
  foreign,  // a store of a machine with another word size or byte order
  failed,   // it can't be read at all: see `problems`
};

struct Inspection {
  Verdict verdict = Verdict::none;
  bool complete = false;  // everything was read
  bool in_time = true;    // the time was enough
  std::uint64_t problem_count = 0;
  std::vector<std::string> problems;  // the first ones, one line each
  std::array<std::uint64_t, kTables> records{};
  std::uint64_t sessions = 0;
  std::uint64_t outgoing_messages = 0;
  std::uint64_t retained_messages = 0;
  std::uint32_t format = 0;
};

[[nodiscard]] Inspection inspect(const std::string& directory, const InspectLimits& limits);

}  // namespace linnet::store
