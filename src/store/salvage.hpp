// Takes over what is whole in a damaged store into a new one. The file is read page by page
// (lmdb_file.hpp): first the newest state; then, if that has holes, pages that nothing refers to
// any more but that are not free; then what only the state before it still has. If both heads of
// the file are gone, the newest root is looked for among all pages. Afterwards the new store is
// made consistent: what belongs to nothing is left out, and everything that is counted is counted
// again.
#pragma once

#include <cstdint>
#include <string>

#include "store/environment.hpp"

namespace linnet::store {

struct SalvageResult {
  Status status = Status::ok;  // of the writing: with anything but `ok` the new store is useless
  std::string error;
  bool found = false;  // there was anything left, however little
  std::uint64_t sessions = 0;
  std::uint64_t outgoing_messages = 0;
  std::uint64_t retained_messages = 0;
  std::uint64_t lost = 0;  // records and pages that could not be read, records without their like
};

/// Reads `damaged`, a data file that nobody else uses, and writes to `target`, which is empty. The
/// last thing written is the new store's head record: with it, it is complete.
[[nodiscard]] SalvageResult salvage(const std::string& damaged, Environment& target);

}  // namespace linnet::store
