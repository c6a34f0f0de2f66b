#include "store/open_checked.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "store/data_dir.hpp"
#include "store/salvage.hpp"

namespace linnet::store {
namespace {

constexpr const char* kRoom = "store";
constexpr const char* kSalvageFolder = "salvage.tmp";

std::string data_file(const std::string& directory) {
  return cat(directory, '/', kDataFile);
}

std::string salvage_folder(const std::string& directory) {
  return cat(directory, '/', kSalvageFolder);
}

bool exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

void sync_directory(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  ::close(descriptor);
}

/// A name that nothing has yet: data.mdb.damaged-20260301-120000.
std::string name_aside(const std::string& directory) {
  std::array<char, 32> time{};
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  const std::size_t size = std::strftime(time.data(), time.size(), "%Y%m%d-%H%M%S", &utc);
  const std::string name =
      cat(data_file(directory), ".damaged-", std::string_view(time.data(), size));
  std::string result = name;
  for (int i = 2; exists(result); ++i)
    result = cat(name, '-', i);
  return result;
}

/// What is whole in the damaged file, in a store of its own beside it.
SalvageResult make_replacement(const DatabaseOptions& options) {
  const std::string& directory = options.environment.directory;
  const std::string folder = salvage_folder(directory);
  SalvageResult result;
  std::error_code code;
  std::filesystem::remove_all(folder, code);
  if (!std::filesystem::create_directory(folder, code)) {
    result.status = Status::failed;
    result.error = cat(folder, " can't be made: ", code.message());
    return result;
  }
  EnvironmentOptions to = options.environment;
  to.directory = folder;
  to.sync = false;
  // What was there has room, whatever the limit is now.
  std::error_code unknown;
  const auto size = std::filesystem::file_size(data_file(directory), unknown);
  if (!unknown) to.map_bytes = std::max<std::uint64_t>(to.map_bytes, 2 * size);
  const auto environment = Environment::open(to, result.status, result.error);
  if (!environment) return result;
  return salvage(data_file(directory), *environment);
}

/// Puts the replacement, if there is one, where the damaged file is, and that one aside. At every
/// moment between there is either of them at its place, or the replacement alone in its folder,
/// which adopt_replacement() then finds.
bool replace(const std::string& directory, bool has_replacement, const std::string& aside,
             std::string& error) {
  const std::string file = data_file(directory);
  const std::string replacement = data_file(salvage_folder(directory));
  if (!has_replacement) unlink(replacement.c_str());
  const bool linked = has_replacement && link(file.c_str(), aside.c_str()) == 0;
  bool done = linked || std::rename(file.c_str(), aside.c_str()) == 0;
  if (done && has_replacement) done = std::rename(replacement.c_str(), file.c_str()) == 0;
  if (!done) {
    error = cat("the damaged store ", file, " can't be set aside as ", aside, ": ",
                std::generic_category().message(errno), "; move it away yourself");
    return false;
  }
  unlink(cat(directory, '/', kLmdbLockFile).c_str());
  std::error_code ignored;
  std::filesystem::remove_all(salvage_folder(directory), ignored);
  sync_directory(directory);
  return true;
}

void adopt_replacement(const std::string& directory) {
  const std::string replacement = data_file(salvage_folder(directory));
  if (exists(data_file(directory)) || !exists(replacement)) return;
  if (std::rename(replacement.c_str(), data_file(directory).c_str()) != 0) return;
  std::error_code ignored;
  std::filesystem::remove_all(salvage_folder(directory), ignored);
  unlink(cat(directory, '/', kLmdbLockFile).c_str());
  sync_directory(directory);
}

void tell(const SalvageResult& result, const std::string& aside) {
  if (result.status != Status::ok) {
    log::error(kRoom, cat("nothing of the damaged store could be taken over: ", result.error,
                          "; this broker starts with an empty store; the old one is ", aside));
  } else if (!result.found) {
    log::error(kRoom, cat("nothing was left in the damaged store: this broker starts with an empty "
                          "store; the old one is ",
                          aside));
  } else {
    log::error(kRoom, cat("the damaged store is now ", aside, "; kept from it: ", result.sessions,
                          " sessions, ", result.outgoing_messages, " messages for them and ",
                          result.retained_messages, " retained messages; ", result.lost,
                          " records or pages were lost"));
  }
}

/// True if there is a store again, or room for one.
bool set_aside(const DatabaseOptions& options, const std::string& reason, std::string& error) {
  const std::string& directory = options.environment.directory;
  log::error(kRoom, cat("the store ", data_file(directory), " is damaged: ", reason));
  const SalvageResult result = make_replacement(options);
  if (result.status == Status::no_space) {
    std::error_code ignored;
    std::filesystem::remove_all(salvage_folder(directory), ignored);
    error = cat("there is no room to take over what is whole in the damaged store ",
                data_file(directory), " (", result.error, "); make room and start again");
    return false;
  }
  const std::string aside = name_aside(directory);
  if (!replace(directory, result.status == Status::ok, aside, error)) return false;
  tell(result, aside);
  return true;
}

/// What is wrong with the store; nothing if it can be opened, or is none of ours: see `error`.
std::optional<std::string> check(const std::string& directory, bool clean, std::string& error) {
  const Inspection found = inspect(directory, clean ? kHeadLimits : kStartLimits);
  switch (found.verdict) {
    case Verdict::none: return std::nullopt;
    case Verdict::foreign:
    case Verdict::failed: error = found.problems.front(); return std::nullopt;
    case Verdict::damaged:
      return cat(found.problems.front(), found.problem_count > 1
                                             ? cat(" (and ", found.problem_count - 1, " more)")
                                             : std::string());
    case Verdict::sound: break;
  }
  if (clean) return std::nullopt;
  if (!found.in_time) {
    log::warn(kRoom,
              "the store was not closed in order, and is too large to be checked in time; "
              "what was read of it is sound");
  } else {
    log::info(kRoom, "the store was not closed in order; it was checked, and is sound");
  }
  return std::nullopt;
}

}  // namespace

std::unique_ptr<Database> open_checked(const DatabaseOptions& options, bool clean,
                                       const Clock& clock, std::string& error) {
  const std::string& directory = options.environment.directory;
  error.clear();
  adopt_replacement(directory);
  const std::optional<std::string> reason = check(directory, clean, error);
  if (!error.empty()) {
    error += "; set data_dir to another folder, or move the file away";
    return nullptr;
  }
  if (reason && !set_aside(options, *reason, error)) return nullptr;
  Status status = Status::ok;
  auto database = Database::open(options, clock, status, error);
  // LMDB may see what the check of a store that was closed in order did not look at.
  if (!database && status == Status::damaged && !reason) {
    const std::string seen = std::exchange(error, {});
    if (!set_aside(options, seen, error)) return nullptr;
    database = Database::open(options, clock, status, error);
  }
  return database;
}

}  // namespace linnet::store
