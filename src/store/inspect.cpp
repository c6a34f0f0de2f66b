#include "store/inspect.hpp"

#include <map>
#include <unistd.h>

#include "base/cat.hpp"
#include "store/data_dir.hpp"
#include "store/examiner.hpp"
#include "store/lmdb_file.hpp"

namespace linnet::store {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
using Trees = std::map<Table, LmdbTree>;

constexpr std::size_t kPrefixSize = 9;  // session and kind, see keys.hpp

class TableVisitor final : public LmdbVisitor {
 public:
  TableVisitor(Table table, Examiner& examiner, SteadyTime until)
      : table_(table), examiner_(examiner), until_(until) {}

  bool record(std::string_view key, std::string_view value) override {
    constexpr std::uint64_t kLooksPerClock = 256;
    if (++records_ % kLooksPerClock == 0 && std::chrono::steady_clock::now() > until_) {
      late_ = true;
      return false;
    }
    examiner_.examine(table_, key, value);
    return true;
  }
  void damage(PageNumber page, const char* why) override {
    examiner_.note(cat("table ", name_of(table_), ": page ", page, ' ', why));
  }
  /// Passes over pages on which one session's messages are, and nothing else.
  bool wants(std::string_view low, std::string_view high) override {
    if (!heads_only_ || low.size() < kPrefixSize || high.size() < kPrefixSize) return true;
    SessionKey parsed;
    const bool same = low.substr(0, kPrefixSize) == high.substr(0, kPrefixSize);
    return !(same && parse_session_key(low, parsed) && parsed.kind == Kind::outgoing);
  }

  void want_heads_only() { heads_only_ = true; }
  [[nodiscard]] bool late() const noexcept { return late_; }

 private:
  const Table table_;
  Examiner& examiner_;
  const SteadyTime until_;
  std::uint64_t records_ = 0;
  bool heads_only_ = false;
  bool late_ = false;
};

/// The tables of the newest state, and the head record.
Trees read_main(LmdbFile& file, Examiner& examiner, SteadyTime until) {
  Trees trees;
  const LmdbTree main = file.snapshots().front().main;
  TableVisitor visitor(Table::main, examiner, until);
  const auto name = [&](std::string_view text, const LmdbTree& tree) {
    const std::optional<Table> table = table_of(text);
    if (table && *table != Table::main) {
      trees[*table] = tree;
    } else {
      examiner.note(cat("table ", text, " is none of a store of Linnet"));
    }
  };
  static_cast<void>(file.walk_main(main, visitor, name));
  return trees;
}

void check_free_pages(LmdbFile& file, Examiner& examiner, bool all_read) {
  const LmdbSnapshot& snapshot = file.snapshots().front();
  std::uint64_t used = 0;
  std::uint64_t behind = 0;
  const auto look = [&](PageNumber page) {
    if (page < 2 || page > snapshot.last_page) ++behind;
    if (all_read && file.visited(page)) ++used;
  };
  for (PageNumber page = snapshot.last_page + 1; page < file.pages(); ++page)
    if (file.visited(page)) ++behind;
  if (!file.walk_free(snapshot, look)) examiner.note("the list of free pages is damaged");
  if (used != 0) examiner.note(cat(used, " pages are both free and in use"));
  if (behind != 0) examiner.note(cat(behind, " pages are behind the last one that the head knows"));
}

void fill(Inspection& result, const Examiner& examiner) {
  for (std::size_t i = 0; i < kTables; ++i)
    result.records[i] = examiner.records(static_cast<Table>(i));
  result.problem_count = examiner.problems();
  result.problems = examiner.report();
  result.sessions = examiner.sessions();
  result.outgoing_messages = examiner.outgoing_messages();
  result.retained_messages = examiner.records(Table::retained);
  if (examiner.meta()) result.format = examiner.meta()->format;
  result.verdict = examiner.problems() == 0 ? Verdict::sound : Verdict::damaged;
}

void examine_all(LmdbFile& file, Inspection& result, const InspectLimits& limits) {
  const SteadyTime until = std::chrono::steady_clock::now() + limits.time_max;
  const bool all = file.bytes() <= limits.all_bytes_max;
  Examiner examiner;
  const Trees trees = read_main(file, examiner, until);
  if (file.snapshots().size() < 2) examiner.note("one of the two heads of the file is not LMDB's");
  if (examiner.meta() && examiner.meta()->format > kFormat) {
    result.format = examiner.meta()->format;  // not ours to judge
    result.verdict = Verdict::sound;
    return;
  }
  for (const auto& [table, tree] : trees) {
    if (limits.time_max.count() == 0) break;
    if (!all && table != Table::sessions && table != Table::doomed) continue;
    TableVisitor visitor(table, examiner, until);
    if (!all) visitor.want_heads_only();
    static_cast<void>(file.walk(tree, visitor));
    if (visitor.late()) result.in_time = false;
    if (!result.in_time) break;
  }
  result.complete = all && result.in_time;
  check_free_pages(file, examiner, result.complete);
  if (!examiner.meta() && !trees.empty() && !result.complete) {
    examiner.note("the head record of the store is missing");
  }
  if (result.complete) examiner.cross_check();
  fill(result, examiner);
}

}  // namespace

Inspection inspect(const std::string& directory, const InspectLimits& limits) {
  Inspection result;
  const std::string path = cat(directory, '/', kDataFile);
  if (access(path.c_str(), F_OK) != 0) return result;
  std::string error;
  std::optional<LmdbFile> file = LmdbFile::open(path, error);
  if (!file) {
    result.verdict = Verdict::failed;
    result.problems.push_back(error);
  } else if (file->foreign()) {
    result.verdict = Verdict::foreign;
    result.problems.push_back(
        cat(path, " was written on a machine with another word size or byte order"));
  } else if (file->snapshots().empty()) {
    result.verdict = Verdict::damaged;
    result.problems.push_back(file->bytes() == 0 ? "the file is empty"
                                                 : "the head of the file is not LMDB's");
  } else {
    examine_all(*file, result, limits);
  }
  if (result.problem_count == 0) result.problem_count = result.problems.size();
  return result;
}

}  // namespace linnet::store
