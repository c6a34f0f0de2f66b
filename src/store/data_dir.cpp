#include "store/data_dir.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/cat.hpp"
#include "base/utc_text.hpp"

namespace linnet::store {
namespace {

constexpr mode_t kDirectoryMode = 0750;
constexpr mode_t kLockMode = 0640;
constexpr std::size_t kLineSize = 64;  // always the same, so that a rewrite needs no disk space
constexpr const char* kMend =
    "set data_dir to a folder that can be written, or persistence = false";

std::string error_text(int code) {
  return std::generic_category().message(code);
}

std::string mend_of(int code) {
  if (code == ENOSPC || code == EDQUOT) return "the disk is full: free some space";
  if (code == EROFS) return cat("the file system is read-only; ", kMend);
  if (code == EACCES || code == EPERM) {
    return cat("this process (user ", geteuid(), ") may not write there; give it the folder, or ",
               kMend);
  }
  return kMend;
}

struct LockLine {
  bool closed = false;
  std::int64_t pid = 0;
};

/// What a lock file says; nothing if it is torn.
std::optional<LockLine> parse_line(std::string_view text) {
  if (text.size() != kLineSize || text.back() != '\n') return std::nullopt;
  const std::size_t blank = text.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const std::string_view mark = text.substr(0, blank);
  if (mark != "closed" && mark != "open") return std::nullopt;
  LockLine line{mark == "closed", 0};
  const std::string_view rest = text.substr(blank + 1);
  const auto end = std::from_chars(rest.data(), rest.data() + rest.size(), line.pid);
  if (end.ec != std::errc() || *end.ptr != ' ') return std::nullopt;
  return line;
}

std::optional<LockLine> read_line(int descriptor) {
  std::array<char, kLineSize + 1> bytes{};
  const ssize_t size = ::pread(descriptor, bytes.data(), bytes.size(), 0);
  if (size < 0) return std::nullopt;
  return parse_line({bytes.data(), static_cast<std::size_t>(size)});
}

bool write_line(int descriptor, bool closed) {
  std::string line = cat(closed ? "closed " : "open ", getpid(), ' ', utc_text(std::time(nullptr)));
  line.resize(kLineSize - 1, ' ');
  line += '\n';
  const ssize_t written = ::pwrite(descriptor, line.data(), line.size(), 0);
  if (written == static_cast<ssize_t>(kLineSize) && ftruncate(descriptor, kLineSize) == 0 &&
      fsync(descriptor) == 0) {
    return true;
  }
  // An empty file says "not in order", and needs no space: worse than a line, but true.
  return ftruncate(descriptor, 0) == 0 && !closed;
}

void sync_directory(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  ::close(descriptor);
}

/// Makes the directory and what leads to it. 0, or an errno.
int make_directory(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) == 0) return S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
  if (errno != ENOENT) return errno;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty() && parent != path) {
    if (const int code = make_directory(parent.string()); code != 0) return code;
  }
  if (mkdir(path.c_str(), kDirectoryMode) != 0 && errno != EEXIST) return errno;
  return 0;
}

/// 0 if files can be made in the directory, or an errno.
int try_directory(const std::string& path) {
  if (const int code = make_directory(path); code != 0) return code;
  return access(path.c_str(), R_OK | W_OK | X_OK) == 0 ? 0 : errno;
}

bool exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

bool holds_store(const std::string& directory) {
  return exists(cat(directory, '/', kDataFile));
}

/// Without the slashes at its end, so that it can be shown and extended.
std::string trimmed(std::string path) {
  while (path.size() > 1 && path.back() == '/')
    path.pop_back();
  return path;
}

/// Empty if there is none.
std::string choose(const std::string& configured, DataDir::Use use, DataDirProblem& problem) {
  if (!configured.empty()) {
    const std::string path = trimmed(configured);
    problem.path = path;
    if (use == DataDir::Use::administer && !holds_store(path)) {
      problem.text = cat("there is no store in ", path, ": ", kDataFile, ": ", error_text(errno));
      return {};
    }
    const int code = try_directory(path);
    if (code == 0) return path;
    problem.text =
        cat("the data directory ", path, " can't be used: ", error_text(code), "; ", mend_of(code));
    return {};
  }
  const std::vector<std::string> candidates = default_data_dirs();
  std::string tried;
  for (const std::string& path : candidates) {
    if (use == DataDir::Use::administer) {
      if (holds_store(path)) return path;
      continue;
    }
    const int code = try_directory(path);
    if (code == 0) return path;
    tried += cat(tried.empty() ? "" : ", ", path, ": ", error_text(code));
  }
  problem.text = use == DataDir::Use::serve
                     ? cat("no place to keep data (", tried, "); ", kMend)
                     : cat("there is no store in ", candidates.front(),
                           candidates.size() > 1 ? cat(" or ", candidates.back()) : "",
                           "; name its folder with --data-dir");
  return {};
}

std::string held_text(const std::string& path, int lock) {
  const std::optional<LockLine> line = read_line(lock);
  const std::string who = line ? cat("process ", line->pid) : "another process";
  return cat(who, " holds the data directory ", path,
             "; stop it first, or give this one another data_dir");
}

}  // namespace

std::vector<std::string> default_data_dirs() {
  std::vector<std::string> result{"/var/lib/linnet"};
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  if (state != nullptr && *state == '/') {
    result.push_back(cat(trimmed(state), "/linnet"));
  } else if (home != nullptr && *home == '/') {
    result.push_back(cat(trimmed(home), "/.local/state/linnet"));
  }
  return result;
}

std::optional<DataDir> DataDir::open(const std::string& configured, Use use,
                                     DataDirProblem& problem) {
  problem = {};
  DataDir result;
  result.path_ = choose(configured, use, problem);
  if (result.path_.empty()) return std::nullopt;
  problem.path = result.path_;
  const std::string file = cat(result.path_, '/', kLockFile);
  const bool is_new = !exists(file) && !holds_store(result.path_);
  result.lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kLockMode);
  if (result.lock_ < 0) {
    const int code = errno;
    problem.text = cat(file, " can't be opened: ", error_text(code), "; ", mend_of(code));
    return std::nullopt;
  }
  if (flock(result.lock_, LOCK_EX | LOCK_NB) != 0) {
    const int code = errno;
    problem.held = code == EWOULDBLOCK;
    problem.text = problem.held ? held_text(result.path_, result.lock_)
                                : cat(file, " can't be locked: ", error_text(code), "; ", kMend);
    return std::nullopt;
  }
  const std::optional<LockLine> line = read_line(result.lock_);
  result.clean_ = is_new || (line && line->closed);
  const bool stays_closed = use == Use::administer && result.clean_;
  if (!write_line(result.lock_, stays_closed) && !stays_closed) {
    problem.text = cat(file, " can't be written: ", error_text(errno), "; ", mend_of(errno));
    return std::nullopt;
  }
  sync_directory(result.path_);
  return result;
}

std::optional<DataDir> DataDir::make_temporary(DataDirProblem& problem) {
  problem = {};
  const char* chosen = std::getenv("TMPDIR");
  for (const char* base : {chosen, "/dev/shm", "/run", "/tmp"}) {
    if (base == nullptr || *base != '/') continue;
    std::string pattern = cat(trimmed(base), "/linnet-XXXXXX");
    if (mkdtemp(pattern.data()) == nullptr) continue;
    DataDir result;
    result.path_ = std::move(pattern);
    result.clean_ = true;
    result.temporary_ = true;
    return result;
  }
  problem.text =
      "no place for temporary files: none of $TMPDIR, /dev/shm, /run and /tmp can be written; set "
      "TMPDIR to a folder that can";
  return std::nullopt;
}

DataDir::DataDir(DataDir&& other) noexcept
    : path_(std::move(other.path_)),
      lock_(std::exchange(other.lock_, -1)),
      clean_(other.clean_),
      temporary_(std::exchange(other.temporary_, false)),
      removed_(other.removed_) {}

DataDir& DataDir::operator=(DataDir&& other) noexcept {
  if (this != &other) {
    release();
    path_ = std::move(other.path_);
    lock_ = std::exchange(other.lock_, -1);
    clean_ = other.clean_;
    temporary_ = std::exchange(other.temporary_, false);
    removed_ = other.removed_;
  }
  return *this;
}

DataDir::~DataDir() {
  release();
}

void DataDir::release() noexcept {
  if (temporary_) unlink_files();
  if (lock_ >= 0) ::close(std::exchange(lock_, -1));
}

bool DataDir::close_in_order() noexcept {
  if (temporary_) return true;
  return lock_ >= 0 && write_line(lock_, true);
}

void DataDir::leave_to_owner() const noexcept {
  struct stat owner {};
  if (geteuid() != 0 || stat(cat(path_, '/', kDataFile).c_str(), &owner) != 0) return;
  for (const char* name : {kLockFile, kLmdbLockFile}) {
    if (lchown(cat(path_, '/', name).c_str(), owner.st_uid, owner.st_gid) != 0) continue;
  }
}

void DataDir::unlink_files() noexcept {
  if (!temporary_ || removed_) return;
  removed_ = true;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace linnet::store
