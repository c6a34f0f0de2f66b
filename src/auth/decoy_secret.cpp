#include "auth/decoy_secret.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "auth/random_bytes.hpp"
#include "base/cat.hpp"
#include "base/log.hpp"
#include "net/file_descriptor.hpp"

namespace linnet::auth {

namespace {

constexpr std::size_t kSize = 32;
constexpr mode_t kOwnerAlone = 0600;
constexpr mode_t kOthers = 077;
/// Until it is complete.
constexpr const char* kNewFile = "decoy.secret.new";

struct Found {
  std::optional<Secret> secret;
  bool may_be_made = false;  // there is none, or none of any use
  int error = 0;             // of errno
};

void warn(const std::string& directory, std::string_view text) {
  log::warn("auth", cat(directory, '/', kDecoyFile, ": ", text));
}

std::string error_text(int error) {
  return std::generic_category().message(error);
}

bool is_open_to_others(int file) noexcept {
  struct stat status {};
  return ::fstat(file, &status) == 0 && (status.st_mode & kOthers) != 0;
}

/// A secret that others could read is still better than another one: salts that change are what
/// gives users away.
void close_to_others(int file, const std::string& directory) {
  if (!is_open_to_others(file)) return;
  const bool changed = ::fchmod(file, kOwnerAlone) == 0;
  const std::string why = changed ? "the file system keeps no modes" : error_text(errno);
  if (changed && !is_open_to_others(file)) {
    return warn(directory,
                "others than its owner had access; they no longer have. If one may have read it, "
                "stop Linnet and delete the file: it is made anew");
  }
  warn(directory, cat("others than its owner have access, and that can't be changed (", why,
                      "); who reads it can tell which users there are, by SCRAM"));
}

Found read_secret(int folder, const std::string& directory) {
  const net::FileDescriptor file(
      ::openat(folder, kDecoyFile, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) return {std::nullopt, errno == ENOENT, errno};
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return {std::nullopt, false, errno};
  if (!S_ISREG(status.st_mode)) return {std::nullopt, false, EINVAL};
  std::array<char, kSize + 1> bytes;
  const ssize_t size = ::read(file.get(), bytes.data(), bytes.size());
  if (size < 0) return {std::nullopt, false, errno};
  if (size != static_cast<ssize_t>(kSize)) {
    warn(directory, cat("is damaged: it has ", static_cast<std::int64_t>(status.st_size),
                        " bytes instead of ", kSize,
                        ". It is made anew; who has asked SCRAM before can tell now which users "
                        "there are"));
    return {std::nullopt, true, 0};
  }
  close_to_others(file.get(), directory);
  return {Secret(std::string(bytes.data(), kSize)), false, 0};
}

/// Of a broker that root has started once, what it makes is the folder's owner's.
bool give_to_owner_of(int folder, int file) noexcept {
  struct stat status {};
  if (::geteuid() != 0) return true;
  return ::fstat(folder, &status) == 0 && ::fchown(file, status.st_uid, status.st_gid) == 0;
}

/// 0, or what went wrong. The name appears when all of it is on the disk.
int write_secret(int folder, const std::string& directory, std::string_view secret) {
  ::unlinkat(folder, kNewFile, 0);  // of a start that was killed
  const net::FileDescriptor file(::openat(
      folder, kNewFile, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kOwnerAlone));
  if (!file) return errno;
  errno = 0;  // a short write does not set it
  const bool written =
      ::write(file.get(), secret.data(), secret.size()) == static_cast<ssize_t>(secret.size()) &&
      give_to_owner_of(folder, file.get()) && ::fsync(file.get()) == 0 &&
      ::renameat(folder, kNewFile, folder, kDecoyFile) == 0;
  if (!written) {
    const int error = errno != 0 ? errno : ENOSPC;
    ::unlinkat(folder, kNewFile, 0);
    return error;
  }
  close_to_others(file.get(), directory);
  return ::fsync(folder) == 0 ? 0 : errno;
}

void warn_of(const std::string& directory, int error) {
  warn(directory, cat(error_text(error),
                      "; until it can be used, who asks SCRAM before and after a restart can tell "
                      "which users there are"));
}

}  // namespace

Secret make_decoy_secret() {
  return Secret(random_bytes(kSize));
}

Secret load_decoy_secret(const std::string& directory) {
  const net::FileDescriptor folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) {
    warn_of(directory, errno);
    return make_decoy_secret();
  }
  Found found = read_secret(folder.get(), directory);
  if (found.secret) return std::move(*found.secret);
  Secret made = make_decoy_secret();
  const int error =
      found.may_be_made ? write_secret(folder.get(), directory, made.view()) : found.error;
  if (error != 0) warn_of(directory, error);
  return made;
}

}  // namespace linnet::auth
