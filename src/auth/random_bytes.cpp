#include "auth/random_bytes.hpp"

#include <cerrno>
#include <stdexcept>
#include <sys/random.h>

namespace linnet::auth {

/// The kernel's own, since OpenSSL's would start all of OpenSSL in a broker that needs none of it:
/// three megabytes and some milliseconds.
std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t done = 0; done < count;) {
    const ssize_t got = ::getrandom(bytes.data() + done, count - done, 0);
    if (got < 0 && errno != EINTR) throw std::runtime_error("the system has no random numbers");
    if (got > 0) done += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace linnet::auth
