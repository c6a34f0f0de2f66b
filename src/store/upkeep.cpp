#include "store/upkeep.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>

#include "base/cat.hpp"
#include "store/data_dir.hpp"

namespace linnet::store {
namespace {

std::string error_text(int code) {
  return std::generic_category().message(code);
}

std::uint64_t size_of(const std::string& path) {
  std::error_code code;
  const std::uintmax_t size = std::filesystem::file_size(path, code);
  return code ? 0 : size;
}

int sync_directory(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return errno;
  const int code = fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  return code;
}

/// The new file belongs to whom the old one belongs, whoever made it.
bool take_owner(const std::string& from, const std::string& to) {
  struct stat old {};
  if (stat(from.c_str(), &old) != 0) return false;
  if (old.st_uid != geteuid() && chown(to.c_str(), old.st_uid, old.st_gid) != 0) return false;
  return chmod(to.c_str(), old.st_mode & 07777) == 0;
}

bool has_room(const std::string& directory, std::uint64_t bytes) {
  struct statvfs disk {};
  if (statvfs(directory.c_str(), &disk) != 0) return true;
  return std::uint64_t{disk.f_bavail} * disk.f_frsize > bytes;
}

}  // namespace

Status Database::copy_to(const std::string& file, std::string& error) const {
  const std::shared_lock lock(readers_);
  if (environment_ == nullptr) {
    error = "the store is closed, since its disk fails";
    return Status::failed;
  }
  return environment_->copy_to(file, error);
}

bool count_records(Database& database, StoreCounts& counts) {
  if (!database.is_open()) return false;
  Environment& environment = database.environment();
  Transaction transaction;
  if (environment.begin_read(transaction) != Status::ok) return false;
  for (std::size_t i = 0; i < kTables; ++i)
    counts.records[i] = transaction.entries(static_cast<Table>(i));
  counts.space = environment.space();
  return true;
}

bool LiveCheck::step(Database& database) {
  const MapGuard guard;
  Transaction transaction;
  failed_ = !database.is_open() || database.environment().begin_read(transaction) != Status::ok;
  if (failed_) return false;
  const auto table = static_cast<Table>(table_);
  Cursor at(transaction, table);
  Status status = at.seek(last_.empty() ? std::string_view("\0", 1) : last_);
  if (status == Status::ok && at.key() == last_) status = at.next();
  std::size_t count = 0;
  for (; status == Status::ok && count < kStepRecords; status = at.next(), ++count) {
    examiner_.examine(table, at.key(), at.value());
    last_ = at.key();
  }
  if (guard.hit()) status = Status::damaged;
  if (status == Status::ok) return true;
  if (status != Status::not_found) {
    examiner_.note(cat("table ", name_of(table), ": can't be read further than ", count,
                       " records behind ", key_text(table, last_)));
  }
  last_.clear();
  return ++table_ < kTables;
}

Inspection LiveCheck::result() const {
  Inspection result;
  for (std::size_t i = 0; i < kTables; ++i)
    result.records[i] = examiner_.records(static_cast<Table>(i));
  result.verdict = examiner_.problems() == 0 ? Verdict::sound : Verdict::damaged;
  if (failed_) result.verdict = Verdict::failed;
  result.problem_count = examiner_.problems();
  result.problems = examiner_.report();
  if (failed_) result.problems.emplace_back("the store can't be read now");
  result.sessions = examiner_.sessions();
  result.outgoing_messages = examiner_.outgoing_messages();
  result.retained_messages = examiner_.records(Table::retained);
  result.format = kFormat;
  return result;
}

bool backup(const Database& database, const std::string& directory, std::uint64_t& bytes,
            std::string& error) {
  std::error_code code;
  std::filesystem::create_directories(directory, code);
  if (code) {
    error = cat(directory, " can't be made: ", code.message());
    return false;
  }
  const std::string file = cat(directory, '/', kDataFile);
  if (access(file.c_str(), F_OK) == 0) {
    error = cat(file, " is there already; name another folder");
    return false;
  }
  // Under its own name only when it is complete.
  const std::string part = cat(file, ".part");
  unlink(part.c_str());
  if (database.copy_to(part, error) != Status::ok) return false;
  if (link(part.c_str(), file.c_str()) != 0 && std::rename(part.c_str(), file.c_str()) != 0) {
    error = cat(file, " can't be made: ", error_text(errno));
    unlink(part.c_str());
    return false;
  }
  unlink(part.c_str());
  bytes = size_of(file);
  const int sync_error = sync_directory(directory);
  if (sync_error != 0) error = cat(directory, " can't be synced: ", error_text(sync_error));
  return sync_error == 0;
}

bool compact(Database& database, const std::string& directory, CompactResult& result,
             std::string& error) {
  const std::string file = cat(directory, '/', kDataFile);
  const std::string copy = cat(file, ".compact");
  StoreCounts counts;
  if (!count_records(database, counts)) {
    error = "the store can't be read now";
    return false;
  }
  const std::uint64_t needed = counts.space.used_bytes - counts.space.free_bytes;
  if (!has_room(directory, needed)) {
    error = cat("there is no room in ", directory, " for a copy of ", needed, " bytes");
    return false;
  }
  result.bytes_before = size_of(file);
  unlink(copy.c_str());
  bool done = database.copy_to(copy, error) == Status::ok;
  if (!done) return false;
  done = take_owner(file, copy) && std::rename(copy.c_str(), file.c_str()) == 0;
  if (!done) {
    error = cat(file, " can't be replaced: ", error_text(errno));
    unlink(copy.c_str());
    return false;
  }
  // Before anything is written to the new file: a commit has to stay.
  const int sync_error = sync_directory(directory);
  if (database.reopen(error) != Status::ok) return false;
  if (sync_error != 0) error = cat(directory, " can't be synced: ", error_text(sync_error));
  result.bytes_after = size_of(file);
  return sync_error == 0;
}

}  // namespace linnet::store
