// LMDB, wrapped: the environment, its tables, transactions and cursors as values that clean up
// after themselves. The only files that include lmdb.h are environment.cpp and those that are named
// lmdb_*. One writer at a time; readers in any number, on any thread, never blocked by it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;

namespace linnet::store {

enum class Table : std::uint8_t { main, sessions, retained, bodies, expiries, doomed };
inline constexpr std::size_t kTables = 6;

/// What a step in LMDB came to.
enum class Status : std::uint8_t {
  ok,
  not_found,
  exists,    // put() without overwriting: the record is there already
  no_space,  // the map or the disk is full
  damaged,   // what was read can't be right
  failed,    // an I/O error: the environment must be closed and opened again
};

struct EnvironmentOptions {
  std::string directory;                // exists, and nobody else uses it
  std::uint64_t map_bytes = 0;          // how large the data may become
  bool sync = true;                     // false: commits do not reach the disk by themselves
  std::uint64_t ahead_bytes = 8 << 20;  // of disk space, taken before it is needed; 0: none
};

class Environment;

/// A transaction; aborted unless committed.
class Transaction {
 public:
  Transaction() = default;
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&& other) noexcept;
  ~Transaction();

  [[nodiscard]] explicit operator bool() const noexcept { return txn_ != nullptr; }

  // The views that come out are valid until the next write in the same transaction, or its end.
  [[nodiscard]] Status get(Table table, std::string_view key, std::string_view& value) const;
  [[nodiscard]] Status put(Table table, std::string_view key, std::string_view value);
  /// Does nothing if the key exists: `exists`, and what is there.
  [[nodiscard]] Status put_new(Table table, std::string_view key, std::string_view value,
                               std::string_view& existing);
  [[nodiscard]] Status erase(Table table, std::string_view key);
  [[nodiscard]] Status commit();
  void abort() noexcept;
  [[nodiscard]] std::uint64_t entries(Table table) const;

 private:
  friend class Environment;
  friend class Cursor;
  Environment* environment_ = nullptr;
  MDB_txn* txn_ = nullptr;
  bool reads_only_ = true;
};

/// A place in one table. It must not outlive its transaction.
class Cursor {
 public:
  Cursor(Transaction& transaction, Table table);
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  ~Cursor();

  /// To the first key that is not before `key`.
  [[nodiscard]] Status seek(std::string_view key);
  [[nodiscard]] Status next();
  [[nodiscard]] Status previous();
  [[nodiscard]] Status last();
  [[nodiscard]] std::string_view key() const noexcept { return key_; }
  [[nodiscard]] std::string_view value() const noexcept { return value_; }
  /// Erases where it stands; next() then goes to the one behind.
  [[nodiscard]] Status erase();
  /// Writes at `key`, and stands there; faster than Transaction::put for keys near each other.
  [[nodiscard]] Status put(std::string_view key, std::string_view value);
  [[nodiscard]] Status put_new(std::string_view key, std::string_view value);

 private:
  [[nodiscard]] Status move(int operation);

  Environment* environment_;
  MDB_cursor* cursor_ = nullptr;
  std::string_view key_;
  std::string_view value_;
};

struct SpaceFigures {
  std::uint64_t map_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t used_bytes = 0;  // pages in use and free pages below the highest one
  std::uint64_t free_bytes = 0;  // of those, free for reuse
};

class Environment {
 public:
  /// Null if it can't be opened; `error` then holds one line that names the file and the mend, and
  /// `status` why: `damaged` if the file is no store of ours, else `failed`.
  [[nodiscard]] static std::unique_ptr<Environment> open(const EnvironmentOptions& options,
                                                         Status& status, std::string& error);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment();

  /// A write transaction; `failed` or `no_space` if it can't begin.
  [[nodiscard]] Status begin_write(Transaction& transaction);
  /// A read transaction from a pool: cheap, and to be ended soon, since it keeps deleted pages from
  /// reuse.
  [[nodiscard]] Status begin_read(Transaction& transaction);

  /// Takes disk space so that at least `bytes` more can be written and a reserve is left, in the
  /// file and in the map, for what erases; `no_space` if there is none. The writer's.
  /// What does not make the store grow for good may use half of what is set aside for erasing.
  [[nodiscard]] Status prepare_space(std::uint64_t bytes, bool grows = true);
  [[nodiscard]] Status sync();
  /// A copy into `file`, which must not exist, without the free pages; on the disk when it returns.
  [[nodiscard]] Status copy_to(const std::string& file, std::string& error);
  /// Walks the list of free pages: not for a hot path.
  [[nodiscard]] SpaceFigures space() const;
  /// The path of the data file.
  [[nodiscard]] std::string file() const;
  /// The error of the last step that was `failed`, `no_space` or `damaged`, in words.
  [[nodiscard]] std::string last_error() const;

 private:
  friend class Transaction;
  friend class Cursor;
  explicit Environment(const EnvironmentOptions& options);

  [[nodiscard]] int open_files();
  [[nodiscard]] int open_watched();
  [[nodiscard]] int open_tables();
  void watch();
  void end_read(MDB_txn* txn) noexcept;
  /// What a return code of LMDB means; an error is remembered for last_error().
  Status status_of(int code) const noexcept;
  [[nodiscard]] std::uint64_t used_bytes() const;
  [[nodiscard]] std::uint64_t free_bytes() const;
  [[nodiscard]] Status allocate(std::uint64_t end_bytes);

  // Constant after open()
  const EnvironmentOptions options_;
  MDB_env* env_ = nullptr;
  std::array<unsigned, kTables> tables_{};
  std::uint64_t page_bytes_ = 4096;
  std::size_t watched_ = 0;

  // Any thread's
  mutable std::mutex pool_mutex_;
  std::vector<MDB_txn*> pool_;  // read transactions that were reset
  mutable std::atomic<int> last_error_{0};

  // The writer's
  std::uint64_t allocated_bytes_ = 0;  // of the file, as far as is known
  bool can_allocate_ = true;           // the file system knows how
};

/// While one is alive, a read of the map behind the end of its file, or of a bad sector (SIGBUS),
/// on this thread gives an empty page instead of ending the process, and is remembered: what was
/// read is then worth nothing, and the environment must be opened again. Cheap to make.
class MapGuard {
 public:
  MapGuard() noexcept;
  ~MapGuard();
  MapGuard(const MapGuard&) = delete;
  MapGuard& operator=(const MapGuard&) = delete;
  /// Whether an open map has a hole, whoever found it: it stays until the map is closed.
  [[nodiscard]] bool hit() const noexcept;
};

}  // namespace linnet::store
