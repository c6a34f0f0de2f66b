#include "store/environment.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/cat.hpp"
#include "store/lmdb_value.hpp"
#include "store/map_guard.hpp"

namespace linnet::store {

namespace {

constexpr unsigned kReadersMax = 126;
constexpr std::size_t kPoolMax = 32;
constexpr std::uint64_t kMapReserveMax = 1 << 20;
// What a 32-bit process finds room for in one piece.
constexpr std::uint64_t kMapMax =
    sizeof(void*) == 4 ? std::uint64_t{2'000} << 20 : std::uint64_t{1} << 46;
constexpr mode_t kFileMode = 0600;
// In the order of `Table`; the first is LMDB's own main table.
constexpr std::array<const char*, kTables> kTableNames = {nullptr,  "sessions", "retained",
                                                          "bodies", "expiries", "doomed"};

Status to_status(int code) noexcept {
  switch (code) {
    case MDB_SUCCESS: return Status::ok;
    case MDB_NOTFOUND: return Status::not_found;
    case MDB_KEYEXIST: return Status::exists;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT: return Status::no_space;
    case MDB_PAGE_NOTFOUND:
    case MDB_CORRUPTED:
    case MDB_VERSION_MISMATCH:
    case MDB_INVALID:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
    case MDB_INCOMPATIBLE: return Status::damaged;
    default: return Status::failed;
  }
}

std::string words_of(int code) {
  if (code > 0) return std::generic_category().message(code);
  return code == 0 ? std::string() : std::string(mdb_strerror(code));
}

std::string_view mend_of(Status status, int code) {
  if (status == Status::damaged) {
    return "it is damaged or no store of Linnet: move it away, or put a copy of the store there";
  }
  if (code == EACCES || code == EPERM || code == EROFS) {
    return "allow the user that runs Linnet to write there";
  }
  if (status == Status::no_space) return "make room on the disk";
  if (code == ENOMEM) return "set a smaller store_size_max, or allow more address space";
  return "look at the data directory and at its disk";
}

/// A new file survives a power failure only once its directory is on the disk.
int sync_directory(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  const int code = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  return code;
}

std::uint64_t map_bytes_of(const EnvironmentOptions& options) noexcept {
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::uint64_t bytes = std::clamp(options.map_bytes, 16 * page, kMapMax);
  return (bytes + page - 1) / page * page;
}

}  // namespace

Environment::Environment(const EnvironmentOptions& options) : options_(options) {}

std::unique_ptr<Environment> Environment::open(const EnvironmentOptions& options, Status& status,
                                               std::string& error) {
  auto environment = std::unique_ptr<Environment>(new Environment(options));
  int code = environment->open_files();
  if (code == MDB_SUCCESS) code = environment->open_watched();
  if (code == MDB_SUCCESS && options.sync) code = sync_directory(options.directory);
  // What an earlier process wrote and could not sync is seen, but may not be on the disk; whoever
  // finds its work done already would be answered without a commit.
  if (code == MDB_SUCCESS && options.sync) code = mdb_env_sync(environment->env_, 1);
  status = to_status(code);
  if (status == Status::ok) return environment;
  error = cat("can't open the store ", environment->file(), " (", words_of(code),
              "): ", mend_of(status, code));
  if (status != Status::damaged) status = Status::failed;
  return nullptr;
}

Environment::~Environment() {
  for (MDB_txn* const txn : pool_)
    mdb_txn_abort(txn);
  unwatch_map(watched_);
  if (env_ != nullptr) mdb_env_close(env_);
}

int Environment::open_files() {
  int code = mdb_env_create(&env_);
  if (code != MDB_SUCCESS) return code;
  code = mdb_env_set_maxdbs(env_, kTables);
  if (code == MDB_SUCCESS) code = mdb_env_set_maxreaders(env_, kReadersMax);
  if (code == MDB_SUCCESS) {
    code = mdb_env_set_mapsize(env_, static_cast<std::size_t>(map_bytes_of(options_)));
  }
  if (code != MDB_SUCCESS) return code;
  const unsigned flags = MDB_NOTLS | (options_.sync ? 0 : MDB_NOSYNC);
  code = mdb_env_open(env_, options_.directory.c_str(), flags, kFileMode);
  if (code != MDB_SUCCESS) return code;
  MDB_stat stat{};
  mdb_env_stat(env_, &stat);
  page_bytes_ = stat.ms_psize;
  return MDB_SUCCESS;
}

int Environment::open_tables() {
  MDB_txn* txn = nullptr;
  int code = mdb_txn_begin(env_, nullptr, 0, &txn);
  for (std::size_t i = 0; i < kTables && code == MDB_SUCCESS; ++i) {
    code = mdb_dbi_open(txn, kTableNames[i], i == 0 ? 0 : MDB_CREATE, &tables_[i]);
  }
  if (code == MDB_SUCCESS) return mdb_txn_commit(txn);
  if (txn != nullptr) mdb_txn_abort(txn);
  return code;
}

int Environment::open_watched() {
  const MapGuard guard;
  const WatchedMap everything = watch_everything(static_cast<std::size_t>(page_bytes_));
  int code = open_tables();
  if (code == MDB_SUCCESS) watch();
  if (has_hole(everything) || has_hole(watched_)) code = MDB_CORRUPTED;
  unwatch_map(everything);
  return code;
}

/// LMDB tells nobody where its map is; but a page in it begins with its own number, and the record
/// of a table is on one.
void Environment::watch() {
  if (page_bytes_ > static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))) return;
  Transaction transaction;
  std::string_view value;
  if (begin_read(transaction) != Status::ok) return;
  if (transaction.get(Table::main, kTableNames[1], value) != Status::ok) return;
  const auto page_bytes = static_cast<std::size_t>(page_bytes_);
  const char* const page =
      value.data() - reinterpret_cast<std::uintptr_t>(value.data()) % page_bytes;
  std::size_t number = 0;
  std::memcpy(&number, page, sizeof number);
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  if (number > info.me_last_pgno) return;
  watched_ = watch_map(page - number * page_bytes, info.me_mapsize, page_bytes);
}

Status Environment::status_of(int code) const noexcept {
  const Status status = to_status(code);
  if (status >= Status::no_space) last_error_.store(code, std::memory_order_relaxed);
  return status;
}

Status Environment::begin_write(Transaction& transaction) {
  transaction.abort();
  const Status status = status_of(mdb_txn_begin(env_, nullptr, 0, &transaction.txn_));
  transaction.environment_ = this;
  transaction.reads_only_ = false;
  return status;
}

Status Environment::begin_read(Transaction& transaction) {
  transaction.abort();
  MDB_txn* txn = nullptr;
  {
    const std::scoped_lock lock(pool_mutex_);
    if (!pool_.empty()) {
      txn = pool_.back();
      pool_.pop_back();
    }
  }
  int code = MDB_SUCCESS;
  if (txn != nullptr) {
    code = mdb_txn_renew(txn);
    if (code != MDB_SUCCESS) mdb_txn_abort(txn);
  } else {
    code = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
  }
  if (code != MDB_SUCCESS) return status_of(code);
  transaction.environment_ = this;
  transaction.txn_ = txn;
  transaction.reads_only_ = true;
  return Status::ok;
}

void Environment::end_read(MDB_txn* txn) noexcept {
  mdb_txn_reset(txn);
  {
    const std::scoped_lock lock(pool_mutex_);
    if (pool_.capacity() == 0) pool_.reserve(kPoolMax);
    if (pool_.size() < kPoolMax) {
      pool_.push_back(txn);
      return;
    }
  }
  mdb_txn_abort(txn);
}

std::uint64_t Environment::used_bytes() const {
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  return (std::uint64_t{info.me_last_pgno} + 1) * page_bytes_;
}

/// LMDB's table 0 holds lists of page numbers, each led by its length.
std::uint64_t Environment::free_bytes() const {
  const MapGuard guard;
  Transaction transaction;
  if (const_cast<Environment*>(this)->begin_read(transaction) != Status::ok) return 0;
  MDB_cursor* cursor = nullptr;
  if (mdb_cursor_open(transaction.txn_, 0, &cursor) != MDB_SUCCESS) return 0;
  std::uint64_t pages = 0;
  MDB_val key{};
  MDB_val list{};
  while (mdb_cursor_get(cursor, &key, &list, MDB_NEXT) == MDB_SUCCESS) {
    if (list.mv_size >= sizeof(std::size_t)) pages += list.mv_size / sizeof(std::size_t) - 1;
  }
  mdb_cursor_close(cursor);
  return pages * page_bytes_;
}

Status Environment::prepare_space(std::uint64_t bytes, bool grows) {
  const std::uint64_t used = used_bytes();
  const std::uint64_t map = map_bytes_of(options_);
  const std::uint64_t reserve = std::min(kMapReserveMax, map / 16) / (grows ? 1 : 2);
  if (used + bytes + reserve > map) {
    return free_bytes() >= bytes + reserve ? Status::ok : status_of(MDB_MAP_FULL);
  }
  if (options_.ahead_bytes == 0 || !can_allocate_) return Status::ok;
  const std::uint64_t end = std::min(used + bytes + options_.ahead_bytes, map);
  if (end <= allocated_bytes_) return Status::ok;
  const Status status = allocate(end);
  if (status != Status::no_space) return status;
  if (!grows && used + bytes + reserve <= allocated_bytes_) return Status::ok;
  return free_bytes() >= bytes + reserve ? Status::ok : status;
}

/// Takes more than is asked for, so that this is not a matter of every commit.
Status Environment::allocate(std::uint64_t end_bytes) {
  mdb_filehandle_t fd = -1;
  mdb_env_get_fd(env_, &fd);
  const std::uint64_t more = std::min(end_bytes + options_.ahead_bytes, map_bytes_of(options_));
  for (const std::uint64_t end : {more, end_bytes}) {
    if (::fallocate(fd, 0, 0, static_cast<off_t>(end)) == 0) {
      allocated_bytes_ = end;
      return Status::ok;
    }
    if (errno == EOPNOTSUPP || errno == ENOSYS) {
      can_allocate_ = false;
      return Status::ok;
    }
    if (errno != ENOSPC && errno != EDQUOT && errno != EFBIG) break;
  }
  return status_of(errno == EFBIG ? ENOSPC : errno);
}

Status Environment::sync() {
  return status_of(mdb_env_sync(env_, 1));
}

Status Environment::copy_to(const std::string& file, std::string& error) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
  if (fd < 0) {
    const int code = errno;
    error = cat("can't write ", file, ": ", words_of(code));
    return status_of(code);
  }
  const MapGuard guard;
  int code = mdb_env_copyfd2(env_, fd, MDB_CP_COMPACT);
  if (code == MDB_SUCCESS && ::fsync(fd) != 0) code = errno;
  if (::close(fd) != 0 && code == MDB_SUCCESS) code = errno;
  if (guard.hit()) code = MDB_CORRUPTED;
  if (code == MDB_SUCCESS) return Status::ok;
  ::unlink(file.c_str());
  error = cat("can't copy the store to ", file, ": ", words_of(code));
  return status_of(code);
}

SpaceFigures Environment::space() const {
  mdb_filehandle_t fd = -1;
  mdb_env_get_fd(env_, &fd);
  struct stat stat {};
  ::fstat(fd, &stat);
  return {map_bytes_of(options_), static_cast<std::uint64_t>(stat.st_size), used_bytes(),
          free_bytes()};
}

std::string Environment::file() const {
  return cat(options_.directory, "/data.mdb");
}

std::string Environment::last_error() const {
  return words_of(last_error_.load(std::memory_order_relaxed));
}

}  // namespace linnet::store
