// LMDB's data file, read page by page without LMDB, which trusts what it reads and crashes on
// garbage. This reader trusts nothing: every offset, size and page number is checked, a page that
// can't be right is reported and passed over, and the rest is still read. So damage can be found,
// and what survives it be saved, within the process.
//
// It reads the format of LMDB 0.9 (data version 1) as this machine writes it: its word size and its
// byte order. The file must not change meanwhile. Reads by pread(2): a bad disk is an error here,
// and not a signal. Any thread; one object, one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.hpp"

namespace linnet::store {

using PageNumber = std::uint64_t;

/// Where a tree of records begins.
struct LmdbTree {
  PageNumber root = 0;
  std::uint16_t depth = 0;  // 0: there is nothing in it
  std::uint64_t entries = 0;
};

/// One of the two states that a data file holds: after the last commit, and after the one before.
struct LmdbSnapshot {
  std::uint64_t transaction = 0;
  PageNumber last_page = 0;
  LmdbTree free;
  LmdbTree main;
};

/// What a walk shows.
class LmdbVisitor {
 public:
  /// In the order of the keys; the views are valid within the call. False ends the walk.
  virtual bool record(std::string_view key, std::string_view value) = 0;
  /// A page, or a record's value elsewhere, that can't be read.
  virtual void damage(PageNumber page, const char* why) = 0;
  /// Whether the walk is to enter the part with keys from `low` up to, without, `high`; an empty
  /// `high` has no end.
  virtual bool wants(std::string_view low, std::string_view high);

 protected:
  ~LmdbVisitor() = default;
};

class LmdbFile {
 public:
  /// Nullopt if the file can't be opened or read at all, and `error` says so.
  [[nodiscard]] static std::optional<LmdbFile> open(const std::string& path, std::string& error);
  LmdbFile(LmdbFile&& other) noexcept;
  LmdbFile& operator=(LmdbFile&& other) = delete;
  ~LmdbFile();

  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  /// The pages that are whole in the file.
  [[nodiscard]] PageNumber pages() const noexcept { return bytes_ / page_size_; }
  /// The file was written by a machine with another word size or byte order.
  [[nodiscard]] bool foreign() const noexcept { return foreign_; }
  /// What the two heads of the file say, the newest first; heads that make no sense are left out.
  [[nodiscard]] const std::vector<LmdbSnapshot>& snapshots() const noexcept { return snapshots_; }

  /// Walks a tree. True if all of it was whole and seen.
  bool walk(const LmdbTree& tree, LmdbVisitor& visitor);
  /// Walks a main tree: its records, and the trees that it names. True as with walk().
  bool walk_main(const LmdbTree& main, LmdbVisitor& records,
                 FunctionRef<void(std::string_view name, const LmdbTree& tree)> names);
  /// The pages that the list of free pages names. False if the list is damaged.
  bool walk_free(const LmdbSnapshot& snapshot, FunctionRef<void(PageNumber)> visit);
  /// Reads one page as a leaf, whatever refers to it. False if it is none.
  bool read_leaf(PageNumber page, LmdbVisitor& records,
                 FunctionRef<void(std::string_view name, const LmdbTree& tree)> names);

  /// Pages that walks since the last forget_visited() have entered.
  [[nodiscard]] bool visited(PageNumber page) const noexcept;
  void forget_visited() { visited_.clear(); }

 private:
  struct Node;
  struct Walk;
  struct Range;
  LmdbFile() = default;
  void read_heads();
  bool read_head(PageNumber page);
  bool read_page(PageNumber page, std::vector<char>& bytes);
  bool fetch(PageNumber page, char* bytes);
  bool enter(PageNumber page);
  bool walk_tree(Walk& walk, const LmdbTree& tree);
  void walk_page(Walk& walk, PageNumber page, std::uint32_t level, const Range& range);
  void walk_branch(Walk& walk, const std::vector<char>& bytes, std::uint32_t level,
                   const Range& range);
  void walk_leaf(Walk& walk, const std::vector<char>& bytes);
  void show(Walk& walk, const Node& node);
  bool read_value(const Node& node, std::string_view& value);

  int file_ = -1;
  std::uint64_t bytes_ = 0;
  std::uint32_t page_size_ = 4096;
  bool foreign_ = false;
  std::vector<LmdbSnapshot> snapshots_;
  std::vector<bool> visited_;
  std::vector<char> value_;  // of a record that has pages of its own

  // Pages that follow each other in a tree often do so in the file: read together then.
  std::vector<char> window_;
  PageNumber window_first_ = 0;
  PageNumber last_read_ = 0;
};

}  // namespace linnet::store
