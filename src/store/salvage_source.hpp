// The reading half of a salvage: everything whole that a damaged file still has, the newest first.
// One thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

#include "base/function_ref.hpp"
#include "store/examiner.hpp"
#include "store/lmdb_file.hpp"

namespace linnet::store {

class SalvageSource {
 public:
  explicit SalvageSource(LmdbFile& file);

  /// The head record, if there is one left.
  [[nodiscard]] const std::optional<Meta>& meta() const noexcept { return meta_; }
  /// Shows every good record of `sessions`, `bodies` and `retained`; of several under one key the
  /// one that counts first. False from `visit` ends it.
  void for_each(FunctionRef<bool(Table, std::string_view key, std::string_view value)> visit);
  /// Records and pages that could not be read, so far.
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

 private:
  using Visit = FunctionRef<bool(Table, std::string_view key, std::string_view value)>;
  /// What one main tree names.
  struct Root {
    std::map<Table, LmdbTree> trees;
    std::optional<Meta> meta;
    const LmdbSnapshot* snapshot = nullptr;  // whose free pages are known
  };
  class Copy;

  void find_roots();
  void look_for_root();
  bool walk_root(const Root& root, Visit visit, bool& whole);
  bool walk_strays(const Root* root, Visit visit);
  [[nodiscard]] bool has_all(const Root& root) const;
  void mark_rest(const Root& root);
  [[nodiscard]] const LmdbSnapshot* first_snapshot() const noexcept;
  [[nodiscard]] bool is_known(Table table, std::string_view key) const;

  LmdbFile& file_;
  StandingClock standing_;
  StoreClock clock_;
  std::vector<Root> roots_;  // the newest first
  std::optional<Meta> meta_;
  std::array<std::uint64_t, kTables> seen_{};  // records, good or not
  std::array<bool, kTables> wanted_{};         // of records whose table only their content tells
  std::uint64_t lost_ = 0;
};

}  // namespace linnet::store
