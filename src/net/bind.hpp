// Opens the sockets of a listener. For start-up and reload: looking up a name may block.
#pragma once

#include <string>
#include <system_error>
#include <vector>

#include <boost/system/result.hpp>

#include "net/file_descriptor.hpp"
#include "net/url.hpp"

namespace linnet::net {

struct BindError {
  std::error_code code;
  std::string text;  // a sentence for the user: what failed, and what to do
};

/// The listening sockets of one URL: non-blocking, closed on exec. Accepted sockets inherit
/// TCP_NODELAY and SO_KEEPALIVE.
struct BoundSockets {
  /// As asked for, with the port that was chosen where it was 0.
  Url url;
  /// One row per copy, in each row one socket per address of the host.
  std::vector<std::vector<FileDescriptor>> copies;
};

/// Binds and listens. Each of `copies` (1 or more) is for one thread: the kernel deals the
/// connections out among them (SO_REUSEPORT). A port that another program has is an error, even if
/// that program shares it.
[[nodiscard]] boost::system::result<BoundSockets, BindError> bind_sockets(const Url& url,
                                                                          unsigned copies);

}  // namespace linnet::net
