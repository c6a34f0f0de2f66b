#include "control/unix_address.hpp"

#include <cstring>
#include <fcntl.h>

#include "base/cat.hpp"

namespace linnet::control {

UnixAddress unix_address(const std::string& directory, const std::string& name) {
  UnixAddress result;
  result.address.sun_family = AF_UNIX;
  std::string path = cat(directory, '/', name);
  if (path.size() >= sizeof result.address.sun_path) {
    result.directory =
        net::FileDescriptor(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!result.directory) return result;
    path = cat("/proc/self/fd/", result.directory.get(), '/', name);
  }
  if (path.size() >= sizeof result.address.sun_path) return result;
  std::memcpy(result.address.sun_path, path.c_str(), path.size() + 1);
  result.valid = true;
  return result;
}

}  // namespace linnet::control
