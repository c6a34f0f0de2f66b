#include "tls/authority_files.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "base/cat.hpp"
#include "base/random.hpp"

namespace linnet::tls {
namespace {

std::string problem(const std::string& path, std::string_view what, int code) {
  std::string text = cat(path, " can't be ", what, ": ", std::generic_category().message(code));
  if (code == EACCES || code == EPERM || code == EROFS) {
    text += "; run this as a user who may, or name another folder";
  }
  return text;
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

/// Only a plain file is read or replaced: a device, say, would be gone for everybody.
constexpr std::string_view kNoFile = "it is no regular file";

/// A file under its temporary name, until put(). What was not kept is removed.
class Staged {
 public:
  Staged() = default;
  Staged(Staged&& other) noexcept
      : path_(std::move(other.path_)), present_(std::exchange(other.present_, {})) {}
  Staged& operator=(Staged&&) = delete;
  ~Staged() {
    if (!present_.empty()) ::unlink(present_.c_str());
  }

  [[nodiscard]] std::string write(const NewFile& file);
  [[nodiscard]] std::string put(bool replace);
  void keep() noexcept { present_.clear(); }
  /// Where it really is.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  [[nodiscard]] std::string find_place(const std::string& path);
  [[nodiscard]] bool dress(int descriptor, bool secret) const;

  std::string path_;
  std::string present_;  // what has to be removed
};

/// A renewed key has to stay readable for the broker's group.
bool Staged::dress(int descriptor, bool secret) const {
  struct stat old {};
  struct stat mine {};
  if (::stat(path_.c_str(), &old) != 0) return true;
  if (::fstat(descriptor, &mine) != 0) return false;
  const bool same = old.st_uid == mine.st_uid && old.st_gid == mine.st_gid;
  if (!same && ::fchown(descriptor, old.st_uid, old.st_gid) != 0) return false;
  return ::fchmod(descriptor, old.st_mode & (secret ? 0660 : 0666)) == 0;
}

/// Through a symbolic link, so that it stays one.
std::string Staged::find_place(const std::string& path) {
  path_ = path;
  struct stat old {};
  if (::lstat(path.c_str(), &old) != 0) return {};
  if (S_ISLNK(old.st_mode)) {
    std::error_code failed;
    path_ = std::filesystem::canonical(path, failed).string();
    if (failed) return problem(path, "written", failed.value());
    if (::stat(path_.c_str(), &old) != 0) return problem(path, "written", errno);
  }
  return S_ISREG(old.st_mode) ? std::string() : cat(path, " can't be written: ", kNoFile);
}

std::string Staged::write(const NewFile& file) {
  if (std::string error = find_place(file.path); !error.empty()) return error;
  const std::filesystem::path path(path_);
  const std::string name = cat('.', path.filename().string(), '.', Random().below(1'000'000'000));
  const std::string temporary = (std::filesystem::path(folder_of(path_)) / name).string();
  const net::FileDescriptor descriptor(::open(temporary.c_str(),
                                              O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                              file.secret ? 0600 : 0644));
  if (!descriptor) return problem(file.path, "written", errno);
  present_ = temporary;
  if (!dress(descriptor.get(), file.secret) || !write_all(descriptor.get(), file.text) ||
      ::fsync(descriptor.get()) != 0) {
    return problem(file.path, "written", errno);
  }
  return {};
}

std::string Staged::put(bool replace) {
  int failed = 0;
  if (replace) {
    failed = ::rename(present_.c_str(), path_.c_str());
  } else {
    failed = ::renameat2(AT_FDCWD, present_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE);
    // Some file systems do not know the flag; link() refuses a name that is taken, too.
    if (failed != 0 && errno == EINVAL && ::link(present_.c_str(), path_.c_str()) == 0) {
      ::unlink(present_.c_str());
      failed = 0;
    }
  }
  if (failed != 0) return errno == EEXIST ? exists_text(path_) : problem(path_, "written", errno);
  if (replace) {
    keep();
  } else {
    present_ = path_;
  }
  return {};
}

}  // namespace

std::string FolderLock::take(const std::string& folder) {
  folder_ = net::FileDescriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder_) return problem(folder, "opened", errno);
  while (::flock(folder_.get(), LOCK_EX) != 0 && errno == EINTR) {}
  return {};
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::string make_folder(const std::string& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return problem(folder, "made", failed.value());
  return {};
}

bool exists(const std::string& path) {
  struct stat facts {};
  return ::lstat(path.c_str(), &facts) == 0;
}

std::string exists_text(const std::string& path) {
  return cat(path, " exists and is not replaced; --force replaces it");
}

std::string read_file(const std::string& path, Secret& text) {
  // Not blocking, since opening a FIFO would wait for its writer.
  const net::FileDescriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts {};
  if (!descriptor || ::fstat(descriptor.get(), &facts) != 0) return problem(path, "read", errno);
  if (!S_ISREG(facts.st_mode)) return cat(path, " can't be read: ", kNoFile);
  text = Secret();
  char piece[4096];
  ssize_t count = 0;
  while ((count = ::read(descriptor.get(), piece, sizeof piece)) != 0) {
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return problem(path, "read", errno);
    text.append({piece, static_cast<std::size_t>(count)});
    explicit_bzero(piece, sizeof piece);
    if (text.view().size() > kOwnFileBytesMax) {
      return cat(path, " is longer than ", kOwnFileBytesMax,
                 " bytes: it is no file of `linnet cert`");
    }
  }
  return {};
}

std::string write_files(std::span<const NewFile> files, bool replace) {
  std::vector<Staged> staged(files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!replace && exists(files[i].path)) return exists_text(files[i].path);
    if (std::string error = staged[i].write(files[i]); !error.empty()) return error;
  }
  for (Staged& file : staged) {
    if (std::string error = file.put(replace); !error.empty()) return error;
  }
  for (Staged& file : staged)
    file.keep();
  for (const Staged& file : staged) {
    const net::FileDescriptor folder(
        ::open(folder_of(file.path()).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // EINVAL: a file system that has nothing to sync in a folder.
    if (!folder || (::fsync(folder.get()) != 0 && errno != EINVAL)) {
      return problem(file.path(), "synced", errno);
    }
  }
  return {};
}

}  // namespace linnet::tls
