#include "store/database.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include "base/cat.hpp"
#include "base/random.hpp"
#include "store/table_writer.hpp"

namespace linnet::store {

namespace {

Status write_first_meta(Environment& environment, Meta& meta) {
  Random random;
  meta.seeds = {random.u64(), random.u64()};
  std::string record;
  write_record(record, kMetaKey, meta);
  Transaction transaction;
  Status status = environment.begin_write(transaction);
  if (status == Status::ok) status = transaction.put(Table::main, kMetaKey, record);
  return status == Status::ok ? transaction.commit() : status;
}

bool is_new(const Transaction& transaction) {
  if (transaction.entries(Table::main) != kTables - 1) return false;
  for (const Table table :
       {Table::sessions, Table::retained, Table::bodies, Table::expiries, Table::doomed}) {
    if (transaction.entries(table) != 0) return false;
  }
  return true;
}

/// What the kernel keeps of a file that has failed may not be what the disk holds.
void drop_page_cache(const std::string& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  ::close(fd);
}

}  // namespace

Database::Database(const DatabaseOptions& options, std::unique_ptr<Environment> environment,
                   const Meta& meta, const Clock& clock)
    : options_(options),
      environment_(std::move(environment)),
      meta_(meta),
      next_session_(meta.next_session),
      clock_(clock, meta.clock),
      scratch_(std::make_unique<WriteScratch>()),
      retained_messages_(meta.retained_messages),
      retained_bytes_(meta.retained_bytes) {}

Database::~Database() = default;

std::unique_ptr<Database> Database::open(const DatabaseOptions& options, const Clock& clock,
                                         Status& status, std::string& error) {
  auto environment = Environment::open(options.environment, status, error);
  if (!environment) return nullptr;
  const MapGuard guard;
  Meta meta;
  status = load_meta(*environment, meta, error);
  std::unique_ptr<Database> database;
  if (status == Status::ok) {
    database.reset(new Database(options, std::move(environment), meta, clock));
    status = database->look_ahead();
    if (guard.hit() && status == Status::ok) status = Status::damaged;
  }
  if (status == Status::ok) return database;
  if (error.empty()) error = cat("the store in ", options.environment.directory, " can't be read");
  return nullptr;
}

Status Database::load_meta(Environment& environment, Meta& meta, std::string& error) {
  Transaction transaction;
  std::string_view record;
  Status status = environment.begin_read(transaction);
  if (status == Status::ok) status = transaction.get(Table::main, kMetaKey, record);
  if (status == Status::not_found && is_new(transaction)) {
    transaction.abort();
    status = write_first_meta(environment, meta);
  } else if (status == Status::not_found ||
             (status == Status::ok && !read_record(kMetaKey, record, meta))) {
    status = Status::damaged;
  }
  if (status == Status::ok && meta.format > kFormat) {
    error = cat("the store ", environment.file(), " has format ", meta.format,
                ", and this Linnet knows only formats up to ", kFormat, ": upgrade Linnet");
    return Status::failed;
  }
  if (status == Status::damaged) {
    error = cat("the store ", environment.file(),
                " is damaged or no store of Linnet: move it away, or put a copy of it there");
  } else if (status != Status::ok) {
    error = cat("can't use the store ", environment.file(), ": ", environment.last_error());
  }
  // Each commit writes this record: the first one that can hold a record of a newer form says so,
  // and a store that nobody writes to stays what it is.
  meta.format = kFormat;
  return status;
}

/// Finds what sweep() has to do, now and later.
Status Database::look_ahead() {
  Transaction transaction;
  Status status = environment_->begin_read(transaction);
  if (status != Status::ok) return status;
  scratch_->doomed = transaction.entries(Table::doomed) != 0;
  Cursor at(transaction, Table::expiries);
  status = at.seek(number_key(0).bytes());
  scratch_->next_expiry = status == Status::ok ? read_u64(at.key()) : 0;
  return status == Status::not_found ? Status::ok : status;
}

Status Database::reopen(std::string& error) {
  const std::unique_lock lock(readers_);
  if (environment_) drop_page_cache(environment_->file());
  environment_.reset();
  drop_page_cache(cat(options_.environment.directory, "/data.mdb"));
  *scratch_ = {};
  Status status = Status::ok;
  auto environment = Environment::open(options_.environment, status, error);
  if (!environment) return status;
  const MapGuard guard;
  Meta meta;
  status = load_meta(*environment, meta, error);
  if (status != Status::ok) return status;
  environment_ = std::move(environment);
  meta_ = meta;
  committed(meta);
  status = look_ahead();
  if (status == Status::ok && guard.hit()) status = Status::damaged;
  if (status != Status::ok) {
    error = cat("the store ", environment_->file(), " can't be read");
    environment_.reset();
  }
  return status;
}

std::uint64_t Database::next_expiry_ms() const noexcept {
  return clock_.to_monotonic(scratch_->next_expiry);
}

}  // namespace linnet::store
