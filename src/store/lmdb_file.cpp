#include "store/lmdb_file.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/cat.hpp"
#include "base/to_size.hpp"

namespace linnet::store {

bool LmdbVisitor::wants(std::string_view, std::string_view) {
  return true;
}

namespace {

// A page: number (word), padding (2), flags (2), then either where free space begins and ends (2
// each), or of how many pages the value is made (4). Behind it: where the nodes are (2 each).
constexpr std::size_t kWord = sizeof(std::size_t);
constexpr std::size_t kFlagsAt = kWord + 2;
constexpr std::size_t kLowerAt = kWord + 4;
constexpr std::size_t kHeadSize = kWord + 8;
constexpr std::uint16_t kBranch = 1;
constexpr std::uint16_t kLeaf = 2;
constexpr std::uint16_t kOverflow = 4;
constexpr std::uint16_t kMeta = 8;
constexpr std::uint16_t kKinds = 0x6F;

// A node: size of its data or low part of its page (2 and 2), flags or high part (2), key size (2).
constexpr std::size_t kNodeHead = 8;
constexpr std::uint16_t kBigData = 1;
constexpr std::uint16_t kSubTree = 2;

// A tree: padding or page size (4), flags (2), depth (2), pages in four kinds and entries (words),
// root (word).
constexpr std::size_t kTreeSize = 8 + 5 * kWord;

// A head, behind its page's: magic (4), version (4), address and map size (words), the trees of
// free pages and of records, the last page (word), the transaction (word).
constexpr std::uint32_t kMagic = 0xBEEFC0DE;
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kTreesAt = 8 + 2 * kWord;
constexpr std::size_t kMetaSize = kTreesAt + 2 * kTreeSize + 2 * kWord;

constexpr std::uint32_t kDepthMax = 32;
/// What is read together, in pages.
constexpr PageNumber kWindowPages = 16;
constexpr std::size_t kNoRoot = SIZE_MAX;
/// No record of ours comes near it. What says so is damaged, and not worth the memory.
constexpr std::uint64_t kValueMax = std::uint64_t{1} << 30;

template <class Int>
Int load(const char* bytes) noexcept {
  Int value{};
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

LmdbTree load_tree(const char* bytes) noexcept {
  LmdbTree tree;
  tree.depth = load<std::uint16_t>(bytes + 6);
  tree.entries = load<std::size_t>(bytes + 8 + 3 * kWord);
  const auto root = load<std::size_t>(bytes + 8 + 4 * kWord);
  tree.root = root;
  if (root == kNoRoot) tree.depth = 0;
  return tree;
}

std::uint16_t kind_of(const std::vector<char>& page) noexcept {
  return load<std::uint16_t>(page.data() + kFlagsAt) & kKinds;
}

}  // namespace

struct LmdbFile::Node {
  std::uint16_t flags = 0;
  std::string_view key;
  std::string_view data;    // of a leaf; the number of its first page, if that is elsewhere
  std::uint32_t bytes = 0;  // of the value
  PageNumber child = 0;     // of a branch
};

struct LmdbFile::Range {
  std::string_view low;
  std::string_view high;  // empty: no end
};

struct LmdbFile::Walk {
  LmdbVisitor* visitor = nullptr;
  const FunctionRef<void(std::string_view, const LmdbTree&)>* names = nullptr;
  bool ordered = true;  // by their bytes; the list of free pages is not
  std::uint64_t entries = 0;
  bool whole = true;
  bool stopped = false;
  bool pruned = false;  // the visitor did not want all of it
  std::string last_key;
  PageNumber page = 0;  // where it is now

  void damage(const char* why) {
    whole = false;
    if (visitor != nullptr) visitor->damage(page, why);
  }
};

namespace {

/// The nodes of a page; false if the page is too broken to know them.
bool node_count(const std::vector<char>& page, std::size_t& count) noexcept {
  const auto lower = load<std::uint16_t>(page.data() + kLowerAt);
  const auto upper = load<std::uint16_t>(page.data() + kLowerAt + 2);
  if (lower < kHeadSize || lower > upper || upper > page.size()) return false;
  count = (lower - kHeadSize) / 2;
  return true;
}

/// Where a node is; 0 if it can't be there.
std::size_t node_at(const std::vector<char>& page, std::size_t index) noexcept {
  const auto lower = load<std::uint16_t>(page.data() + kLowerAt);
  const auto at = load<std::uint16_t>(page.data() + kHeadSize + 2 * index);
  return at >= lower && at + kNodeHead <= page.size() ? at : 0;
}

}  // namespace

std::optional<LmdbFile> LmdbFile::open(const std::string& path, std::string& error) {
  LmdbFile result;
  result.file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (result.file_ < 0 || fstat(result.file_, &status) != 0) {
    error = cat(path, " can't be read: ", std::generic_category().message(errno));
    return std::nullopt;
  }
  if (!S_ISREG(status.st_mode)) {
    error = cat(path, " is no regular file");
    return std::nullopt;
  }
  result.bytes_ = static_cast<std::uint64_t>(status.st_size);
  result.page_size_ = static_cast<std::uint32_t>(sysconf(_SC_PAGESIZE));
  result.read_heads();
  return result;
}

LmdbFile::LmdbFile(LmdbFile&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      bytes_(other.bytes_),
      page_size_(other.page_size_),
      foreign_(other.foreign_),
      snapshots_(std::move(other.snapshots_)),
      visited_(std::move(other.visited_)),
      value_(std::move(other.value_)) {}

LmdbFile::~LmdbFile() {
  if (file_ >= 0) ::close(file_);
}

void LmdbFile::read_heads() {
  // The second head is one page behind the first, which alone says how large a page is; if it is
  // gone, the usual sizes are tried.
  if (!read_head(0)) {
    const std::uint32_t guess = page_size_;
    for (const std::uint32_t size : {guess, 4096U, 16'384U, 65'536U}) {
      page_size_ = size;
      if (read_head(1)) return;
    }
    page_size_ = guess;
    return;
  }
  read_head(1);
  std::sort(snapshots_.begin(), snapshots_.end(), [](const LmdbSnapshot& a, const LmdbSnapshot& b) {
    return a.transaction > b.transaction;
  });
}

bool LmdbFile::read_head(PageNumber page) {
  std::vector<char> bytes(kHeadSize + kMetaSize);
  const auto at = static_cast<off_t>(page * page_size_);
  const ssize_t size = pread(file_, bytes.data(), bytes.size(), at);
  if (size != static_cast<ssize_t>(bytes.size())) return false;
  for (const std::size_t place : {std::size_t{12}, std::size_t{16}}) {
    const auto magic = load<std::uint32_t>(bytes.data() + place);
    const bool swapped = __builtin_bswap32(magic) == kMagic;
    if (page == 0 && (swapped || (magic == kMagic && place != kHeadSize))) foreign_ = true;
  }
  const char* meta = bytes.data() + kHeadSize;
  if (load<std::uint32_t>(meta) != kMagic || load<std::uint32_t>(meta + 4) != kVersion)
    return false;
  if (kind_of(bytes) != kMeta || load<std::size_t>(bytes.data()) != page) return false;
  const auto page_size = load<std::uint32_t>(meta + kTreesAt);
  if (page_size < 512 || page_size > 65'536 || !std::has_single_bit(page_size)) return false;
  if (page != 0 && page_size != page_size_) return false;
  LmdbSnapshot snapshot;
  snapshot.free = load_tree(meta + kTreesAt);
  snapshot.main = load_tree(meta + kTreesAt + kTreeSize);
  snapshot.last_page = load<std::size_t>(meta + kTreesAt + 2 * kTreeSize);
  snapshot.transaction = load<std::size_t>(meta + kTreesAt + 2 * kTreeSize + kWord);
  page_size_ = page_size;
  snapshots_.push_back(snapshot);
  return true;
}

bool LmdbFile::read_page(PageNumber page, std::vector<char>& bytes) {
  if (page >= pages()) return false;
  bytes.resize(page_size_);
  return fetch(page, bytes.data()) && load<std::size_t>(bytes.data()) == page;
}

bool LmdbFile::fetch(PageNumber page, char* bytes) {
  const auto in_window = [&] {
    return page >= window_first_ && (page - window_first_ + 1) * page_size_ <= window_.size();
  };
  const PageNumber before = std::exchange(last_read_, page);
  const auto place = static_cast<off_t>(page * page_size_);
  if (!in_window() && page == before + 1) {
    window_.resize(std::size_t{kWindowPages} * page_size_);
    const ssize_t size = pread(file_, window_.data(), window_.size(), place);
    window_.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    window_first_ = page;
  }
  if (in_window()) {
    std::memcpy(bytes, window_.data() + (page - window_first_) * page_size_, page_size_);
    return true;
  }
  return pread(file_, bytes, page_size_, place) == static_cast<ssize_t>(page_size_);
}

bool LmdbFile::enter(PageNumber page) {
  if (page < 2 || page >= pages()) return true;  // said elsewhere
  if (visited_.empty()) visited_.resize(to_size(pages()));
  const std::size_t at = to_size(page);
  if (visited_[at]) return false;
  visited_[at] = true;
  return true;
}

bool LmdbFile::visited(PageNumber page) const noexcept {
  return page < visited_.size() && visited_[to_size(page)];
}

void LmdbFile::walk_page(Walk& walk, PageNumber page, std::uint32_t level, const Range& range) {
  if (walk.visitor != nullptr && !walk.visitor->wants(range.low, range.high)) {
    walk.pruned = true;
    return;
  }
  walk.page = page;
  if (!enter(page)) return walk.damage("is used twice");
  std::vector<char> bytes;
  std::size_t count = 0;
  if (!read_page(page, bytes)) return walk.damage("can't be read, or is another one");
  if (kind_of(bytes) != (level > 1 ? kBranch : kLeaf)) return walk.damage("is of a wrong kind");
  if (!node_count(bytes, count)) return walk.damage("has a broken head");
  if (level > 1) {
    walk_branch(walk, bytes, level, range);
  } else {
    walk_leaf(walk, bytes);
  }
}

void LmdbFile::walk_branch(Walk& walk, const std::vector<char>& bytes, std::uint32_t level,
                           const Range& range) {
  const PageNumber page = walk.page;
  std::size_t count = 0;
  if (!node_count(bytes, count) || count == 0) return walk.damage("has no nodes");
  const auto read = [&bytes](std::size_t index, Node& node) {
    const std::size_t at = node_at(bytes, index);
    if (at == 0) return false;
    const char* head = bytes.data() + at;
    std::uint16_t parts[4];
    std::memcpy(parts, head, sizeof parts);
    if (at + kNodeHead + parts[3] > bytes.size()) return false;
    if constexpr (std::endian::native == std::endian::big) std::swap(parts[0], parts[1]);
    node.child = parts[0] | PageNumber{parts[1]} << 16;
    if constexpr (kWord == 8) node.child |= PageNumber{parts[2]} << 32;
    node.key = {head + kNodeHead, parts[3]};
    return true;
  };
  for (std::size_t i = 0; i < count && !walk.stopped; ++i) {
    Node node;
    Node next;
    walk.page = page;
    if (!read(i, node)) {
      walk.damage("has a broken node");
      continue;
    }
    const bool has_next = i + 1 < count && read(i + 1, next);
    walk_page(walk, node.child, level - 1,
              {i == 0 ? range.low : node.key, has_next ? next.key : range.high});
  }
}

void LmdbFile::walk_leaf(Walk& walk, const std::vector<char>& bytes) {
  const PageNumber page = walk.page;
  std::size_t count = 0;
  if (!node_count(bytes, count)) return walk.damage("has a broken head");
  for (std::size_t i = 0; i < count && !walk.stopped; ++i) {
    walk.page = page;
    const std::size_t at = node_at(bytes, i);
    std::uint16_t parts[4] = {};
    if (at != 0) std::memcpy(parts, bytes.data() + at, sizeof parts);
    if constexpr (std::endian::native == std::endian::big) std::swap(parts[0], parts[1]);
    Node node;
    node.flags = parts[2];
    node.bytes = parts[0] | std::uint32_t{parts[1]} << 16;
    const std::size_t inside = (node.flags & kBigData) != 0 ? kWord : node.bytes;
    if (at == 0 || at + kNodeHead + parts[3] + inside > bytes.size()) {
      walk.damage("has a broken node");
      continue;
    }
    node.key = {bytes.data() + at + kNodeHead, parts[3]};
    node.data = {node.key.data() + node.key.size(), inside};
    if (walk.ordered && walk.entries != 0 && node.key <= walk.last_key) {
      walk.damage("has keys out of order");
    }
    walk.last_key = node.key;
    ++walk.entries;
    show(walk, node);
  }
}

void LmdbFile::show(Walk& walk, const Node& node) {
  if ((node.flags & kSubTree) != 0) {
    if (walk.names != nullptr && node.data.size() == kTreeSize) {
      (*walk.names)(node.key, load_tree(node.data.data()));
    } else if (walk.names == nullptr) {
      walk.damage("has a tree in a record");
    }
    return;
  }
  std::string_view value;
  if ((node.flags & ~kBigData) != 0 || !read_value(node, value)) {
    return walk.damage("has a record whose value can't be read");
  }
  if (walk.visitor != nullptr && !walk.visitor->record(node.key, value)) walk.stopped = true;
}

bool LmdbFile::read_value(const Node& node, std::string_view& value) {
  value = node.data;
  if ((node.flags & kBigData) == 0) return true;
  const auto first = load<std::size_t>(node.data.data());
  const std::uint64_t size = kHeadSize + std::uint64_t{node.bytes};
  const std::uint64_t count = (size + page_size_ - 1) / page_size_;
  if (first < 2 || first >= pages() || count > pages() - first) return false;
  if (size > kValueMax) return false;
  value_.resize(to_size(size));
  const ssize_t read =
      pread(file_, value_.data(), value_.size(), static_cast<off_t>(first * page_size_));
  if (read != static_cast<ssize_t>(size)) return false;
  if (load<std::size_t>(value_.data()) != first || kind_of(value_) != kOverflow) return false;
  if (load<std::uint32_t>(value_.data() + kLowerAt) < count) return false;
  for (PageNumber page = first; page < first + count; ++page)
    if (!enter(page)) return false;
  value = {value_.data() + kHeadSize, node.bytes};
  return true;
}

bool LmdbFile::walk_tree(Walk& walk, const LmdbTree& tree) {
  if (tree.depth == 0) return tree.entries == 0;
  walk.page = tree.root;
  if (tree.depth > kDepthMax) {
    walk.damage("is the root of a tree that is too deep");
    return false;
  }
  walk_page(walk, tree.root, tree.depth, {});
  if (walk.whole && !walk.stopped && !walk.pruned && walk.entries != tree.entries) {
    walk.page = tree.root;
    walk.damage("is the root of a tree with another number of records");
  }
  return walk.whole && !walk.stopped;
}

bool LmdbFile::walk(const LmdbTree& tree, LmdbVisitor& visitor) {
  Walk walk;
  walk.visitor = &visitor;
  return walk_tree(walk, tree);
}

bool LmdbFile::walk_main(const LmdbTree& main, LmdbVisitor& records,
                         FunctionRef<void(std::string_view, const LmdbTree&)> names) {
  Walk walk;
  walk.visitor = &records;
  walk.names = &names;
  return walk_tree(walk, main);
}

bool LmdbFile::walk_free(const LmdbSnapshot& snapshot, FunctionRef<void(PageNumber)> visit) {
  struct Lists final : LmdbVisitor {
    bool record(std::string_view, std::string_view value) override {
      const std::size_t words = value.size() / kWord;
      const std::size_t count = words > 0 ? load<std::size_t>(value.data()) : 0;
      if (count >= words) {
        whole = false;
        return true;
      }
      for (std::size_t i = 1; i <= count; ++i)
        (*visit)(load<std::size_t>(value.data() + i * kWord));
      return true;
    }
    void damage(PageNumber, const char*) override { whole = false; }
    const FunctionRef<void(PageNumber)>* visit = nullptr;
    bool whole = true;
  };
  Lists lists;
  lists.visit = &visit;
  Walk walk;
  walk.visitor = &lists;
  walk.ordered = false;
  return walk_tree(walk, snapshot.free) && lists.whole;
}

bool LmdbFile::read_leaf(PageNumber page, LmdbVisitor& records,
                         FunctionRef<void(std::string_view, const LmdbTree&)> names) {
  std::vector<char> bytes;
  if (page < 2 || !read_page(page, bytes) || kind_of(bytes) != kLeaf) return false;
  Walk walk;
  walk.visitor = &records;
  walk.names = &names;
  walk.page = page;
  walk.ordered = false;
  walk_leaf(walk, bytes);
  return true;
}

}  // namespace linnet::store
