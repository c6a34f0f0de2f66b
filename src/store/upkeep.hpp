// What an administrator does to a store: look at it, check it, copy it, make it small. The store
// may be in use: step() and compact() then run on the writer's thread, the others on any.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "store/database.hpp"
#include "store/examiner.hpp"
#include "store/inspect.hpp"

namespace linnet::store {

struct StoreCounts {
  SpaceFigures space;
  std::array<std::uint64_t, kTables> records{};
};
/// False if the store can't be read now. The writer's thread.
[[nodiscard]] bool count_records(Database& database, StoreCounts& counts);

/// Examines every record of a store in use, some at a time; what is written behind its back is not
/// seen. For a store that is not in use, inspect() sees more.
class LiveCheck {
 public:
  static constexpr std::size_t kStepRecords = 1'000;

  /// True if more is to be done.
  [[nodiscard]] bool step(Database& database);
  [[nodiscard]] Inspection result() const;

 private:
  Examiner examiner_{false};
  std::size_t table_ = 1;  // the main table is checked at every start
  std::string last_;       // the key that was examined last
  bool failed_ = false;
};

/// Copies the store into `directory`, which is made if it is not there, as data.mdb, which must not
/// be there. `bytes` is the size of the copy.
[[nodiscard]] bool backup(const Database& database, const std::string& directory,
                          std::uint64_t& bytes, std::string& error);

struct CompactResult {
  std::uint64_t bytes_before = 0;
  std::uint64_t bytes_after = 0;
};
/// Writes the store anew without its free pages and opens it again. `directory` is its own.
[[nodiscard]] bool compact(Database& database, const std::string& directory, CompactResult& result,
                           std::string& error);

}  // namespace linnet::store
