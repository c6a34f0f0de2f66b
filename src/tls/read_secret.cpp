#include "tls/read_secret.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>

#include "base/cat.hpp"
#include "net/file_descriptor.hpp"

namespace linnet::tls {

namespace {

std::string errno_text() {
  return std::system_category().message(errno);
}

}  // namespace

std::optional<Secret> read_secret(const std::string& file, std::string& error) {
  // Not blocking, since opening a FIFO would wait for its writer.
  const net::FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts {};
  if (!fd || ::fstat(fd.get(), &facts) != 0) {
    error = cat(file, ": cannot be read: ", errno_text());
    return std::nullopt;
  }
  if (!S_ISREG(facts.st_mode)) {
    error = cat(file, ": is not a plain file");
    return std::nullopt;
  }
  Secret text;
  char piece[4096];
  ssize_t got = 0;
  while ((got = ::read(fd.get(), piece, sizeof piece)) > 0) {
    text.append({piece, static_cast<std::size_t>(got)});
    if (text.view().size() > kFileBytesMax) break;
  }
  explicit_bzero(piece, sizeof piece);
  if (got < 0) {
    error = cat(file, ": cannot be read: ", errno_text());
    return std::nullopt;
  }
  if (text.view().size() > kFileBytesMax) {
    error = cat(file, ": is larger than ", kFileBytesMax >> 20, " MiB");
    return std::nullopt;
  }
  return text;
}

}  // namespace linnet::tls
