#include "auth/decoy_secret.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <optional>
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
/// Until it is complete.
constexpr const char* kNewFile = "decoy.secret.new";

struct Found {
  std::optional<Secret> secret;
  bool may_be_made = false;  // there is none, or none of any use
  int error = 0;             // of errno
};

Found read_secret(int directory) {
  const net::FileDescriptor file(
      ::openat(directory, kDecoyFile, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) return {std::nullopt, errno == ENOENT, errno};
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return {std::nullopt, false, errno};
  if (!S_ISREG(status.st_mode)) return {std::nullopt, false, EINVAL};
  std::array<char, kSize + 1> bytes;
  const ssize_t size = ::read(file.get(), bytes.data(), bytes.size());
  if (size < 0) return {std::nullopt, false, errno};
  if (size != static_cast<ssize_t>(kSize)) return {std::nullopt, true, 0};
  // One that others could read is no secret, whoever has made it so.
  if ((status.st_mode & 077) != 0) return {std::nullopt, true, 0};
  Found found{Secret(std::string(bytes.data(), kSize)), false, 0};
  return found;
}

/// 0, or what went wrong. The name appears when all of it is on the disk.
int write_secret(int directory, std::string_view secret) {
  ::unlinkat(directory, kNewFile, 0);  // of a start that was killed
  net::FileDescriptor file(::openat(
      directory, kNewFile, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kOwnerAlone));
  if (!file) return errno;
  const bool written =
      ::write(file.get(), secret.data(), secret.size()) == static_cast<ssize_t>(secret.size()) &&
      ::fsync(file.get()) == 0 && ::renameat(directory, kNewFile, directory, kDecoyFile) == 0;
  if (!written) {
    const int error = errno != 0 ? errno : ENOSPC;
    ::unlinkat(directory, kNewFile, 0);
    return error;
  }
  return ::fsync(directory) == 0 ? 0 : errno;
}

void warn(const std::string& directory, int error) {
  log::warn("auth", cat(directory, '/', kDecoyFile, ": ", std::generic_category().message(error),
                        "; until it can be used, who asks SCRAM before and after a restart can "
                        "tell which users there are"));
}

}  // namespace

Secret make_decoy_secret() {
  return Secret(random_bytes(kSize));
}

Secret load_decoy_secret(const std::string& directory) {
  const net::FileDescriptor folder(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) {
    warn(directory, errno);
    return make_decoy_secret();
  }
  Found found = read_secret(folder.get());
  if (found.secret) return std::move(*found.secret);
  Secret made = make_decoy_secret();
  errno = 0;
  const int error = found.may_be_made ? write_secret(folder.get(), made.view()) : found.error;
  if (error != 0) warn(directory, error);
  return made;
}

}  // namespace linnet::auth
