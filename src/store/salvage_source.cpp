#include "store/salvage_source.hpp"

#include <algorithm>
#include <vector>

#include "base/to_size.hpp"

namespace linnet::store {
namespace {

constexpr std::array kCopied = {Table::bodies, Table::sessions, Table::retained};

constexpr std::size_t index_of(Table table) {
  return static_cast<std::size_t>(table);
}

/// Numbers of sessions and bodies are counted from 1: a larger one is no number.
constexpr std::uint64_t kNumberMax = std::uint64_t{1} << 48;

/// The head record among the records of a main tree.
class MetaVisitor final : public LmdbVisitor {
 public:
  bool record(std::string_view key, std::string_view value) override {
    Meta read;
    if (key == kMetaKey && read_record(key, value, read) && read.format <= kFormat) meta = read;
    return true;
  }
  void damage(PageNumber, const char*) override { ++damaged; }

  std::optional<Meta> meta;
  std::uint64_t damaged = 0;
};

/// Which table a record of unknown origin can be from.
std::optional<Table> table_by_content(std::string_view key, std::string_view value,
                                      const StoreClock& clock) {
  const bool numbered = key.size() >= 8 && read_u64(key) < kNumberMax;
  for (const Table table : {Table::bodies, Table::sessions, Table::retained}) {
    if (table != Table::retained && !numbered) continue;
    if (is_good(table, key, value, clock)) return table;
  }
  return std::nullopt;
}

}  // namespace

/// Hands on the good records of a table, or of any.
class SalvageSource::Copy final : public LmdbVisitor {
 public:
  Copy(SalvageSource& source, std::optional<Table> table, Visit visit)
      : source_(source), table_(table), visit_(visit) {}

  bool record(std::string_view key, std::string_view value) override {
    const std::optional<Table> table =
        table_ ? table_ : table_by_content(key, value, source_.clock_);
    if (!table || (!table_ && !source_.wanted_[index_of(*table)])) return true;
    ++source_.seen_[index_of(*table)];
    if ((table_ && !is_good(*table, key, value, source_.clock_)) ||
        !source_.is_known(*table, key)) {
      ++source_.lost_;
      return true;
    }
    return going_ = visit_(*table, key, value);
  }
  void damage(PageNumber, const char*) override {
    if (table_) ++source_.lost_;
  }
  [[nodiscard]] bool going() const noexcept { return going_; }

 private:
  SalvageSource& source_;
  const std::optional<Table> table_;
  const Visit visit_;
  bool going_ = true;
};

SalvageSource::SalvageSource(LmdbFile& file)
    : file_(file), standing_({}), clock_(standing_, standing_.mark()) {
  find_roots();
  for (const Root& root : roots_) {
    if (!meta_) meta_ = root.meta;
  }
}

void SalvageSource::find_roots() {
  for (const LmdbSnapshot& snapshot : file_.snapshots()) {
    Root root;
    MetaVisitor visitor;
    root.snapshot = &snapshot;
    static_cast<void>(file_.walk_main(snapshot.main, visitor, [&](auto name, const LmdbTree& tree) {
      const std::optional<Table> table = table_of(name);
      if (table && *table != Table::main) root.trees[*table] = tree;
    }));
    file_.forget_visited();
    root.meta = visitor.meta;
    if (!root.trees.empty()) roots_.push_back(std::move(root));
  }
  if (roots_.empty()) look_for_root();
}

/// A main tree of a few records is one page, which the head record's time tells the age of.
void SalvageSource::look_for_root() {
  std::optional<Root> newest;
  for (PageNumber page = 2; page < file_.pages(); ++page) {
    Root root;
    MetaVisitor visitor;
    const bool leaf = file_.read_leaf(page, visitor, [&](auto name, const LmdbTree& tree) {
      const std::optional<Table> table = table_of(name);
      if (table && *table != Table::main) root.trees[*table] = tree;
    });
    if (!leaf || !visitor.meta || root.trees.empty()) continue;
    root.meta = visitor.meta;
    if (!newest || newest->meta->clock.time_ms <= root.meta->clock.time_ms) {
      newest = std::move(root);
    }
  }
  if (newest) roots_.push_back(std::move(*newest));
}

/// A name's hash under unknown seeds leads nowhere.
bool SalvageSource::is_known(Table table, std::string_view key) const {
  if (meta_) return true;
  constexpr std::size_t kSessionPrefix = 9;
  const std::size_t prefix = table == Table::sessions ? kSessionPrefix : 0;
  return table == Table::bodies || key.size() <= prefix + kNameMax;
}

void SalvageSource::for_each(Visit visit) {
  bool whole = false;
  for (const Root& root : roots_) {
    file_.forget_visited();
    if (!walk_root(root, visit, whole) || whole) return;
    if (&root != &roots_.front()) continue;
    if (!walk_strays(&root, visit) || has_all(root)) return;
  }
  if (roots_.empty()) {
    file_.forget_visited();
    static_cast<void>(walk_strays(nullptr, visit));
  }
}

bool SalvageSource::walk_root(const Root& root, Visit visit, bool& whole) {
  const std::uint64_t lost_before = lost_;
  whole = true;
  for (const Table table : kCopied) {
    const auto tree = root.trees.find(table);
    if (tree == root.trees.end()) {
      whole = false;
      ++lost_;
      continue;
    }
    Copy copy(*this, table, visit);
    if (!file_.walk(tree->second, copy)) whole = false;
    if (!copy.going()) return false;
  }
  // What an older state has lost says nothing about the newest.
  if (&root != &roots_.front()) lost_ = lost_before;
  return true;
}

/// Pages behind a damaged one: nothing leads to them, but they are not free either. If it is not
/// known which pages are free, all pages have to do for the tables of which there is nothing else,
/// though some of their records are old.
bool SalvageSource::walk_strays(const Root* root, Visit visit) {
  std::vector<bool> free(to_size(file_.pages()));
  const LmdbSnapshot* snapshot = root != nullptr ? root->snapshot : first_snapshot();
  bool known = false;
  if (root != nullptr) mark_rest(*root);
  if (snapshot != nullptr) {
    known = file_.walk_free(*snapshot, [&free](PageNumber page) {
      if (page < free.size()) free[to_size(page)] = true;
    });
  }
  if (known) {
    wanted_.fill(true);
  } else {
    for (std::size_t i = 0; i < kTables; ++i)
      wanted_[i] = seen_[i] == 0;
    free.assign(free.size(), false);
  }
  const PageNumber last = known ? snapshot->last_page : PageNumber{UINT64_MAX} - 1;
  const PageNumber end = std::min(file_.pages(), last + 1);
  Copy copy(*this, std::nullopt, visit);
  for (PageNumber page = 2; page < end && copy.going(); ++page) {
    if (free[to_size(page)] || file_.visited(page)) continue;
    static_cast<void>(file_.read_leaf(page, copy, [](auto, const LmdbTree&) {}));
  }
  return copy.going();
}

/// Whether as many records were seen as there are.
bool SalvageSource::has_all(const Root& root) const {
  for (const Table table : kCopied) {
    const auto tree = root.trees.find(table);
    if (tree == root.trees.end() || seen_[index_of(table)] < tree->second.entries) return false;
  }
  return true;
}

/// Marks the pages of what is not copied as visited.
void SalvageSource::mark_rest(const Root& root) {
  MetaVisitor ignore;
  for (const Table table : {Table::expiries, Table::doomed}) {
    const auto tree = root.trees.find(table);
    if (tree != root.trees.end()) static_cast<void>(file_.walk(tree->second, ignore));
  }
  if (root.snapshot == nullptr) return;
  static_cast<void>(file_.walk_main(root.snapshot->main, ignore, [](auto, const LmdbTree&) {}));
}

const LmdbSnapshot* SalvageSource::first_snapshot() const noexcept {
  return file_.snapshots().empty() ? nullptr : &file_.snapshots().front();
}

}  // namespace linnet::store
