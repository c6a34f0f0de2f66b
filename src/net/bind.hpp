// Opens the sockets of a listener. For start-up and reload: looking up a name may block.
#pragma once

#include <string>
#include <system_error>
#include <vector>

#include <boost/system/result.hpp>

#include "net/file_descriptor.hpp"
#include "net/inherited_sockets.hpp"
#include "net/socket_file.hpp"
#include "net/url.hpp"

namespace linnet::net {

struct BindError {
  std::error_code code;
  std::string text;  // a sentence for the user: what failed, and what to do
};

struct BindOptions {
  /// The address may be none of this machine's yet.
  bool free_bind = false;

  // Of a Unix socket's file; they hold before the first client can connect.
  unsigned mode = 0660;
  std::string owner{};  // a name or a number; empty: ours
  std::string group{};

  /// Those of them that listen at the URL are used as they are, and nothing is bound there.
  InheritedSockets* inherited = nullptr;
};

/// The listening sockets of one URL: non-blocking, closed on exec. Accepted sockets inherit
/// TCP_NODELAY and keep-alive: a peer that has vanished is noticed after about 10 minutes.
struct BoundSockets {
  /// As asked for, with the port that was chosen where it was 0.
  Url url;
  /// One row per copy, in each row one socket per address of the host.
  std::vector<std::vector<FileDescriptor>> copies;
  /// Of a Unix socket: keep it as long as the sockets, since the file goes with it.
  SocketFile file;
};

/// Binds and listens. Each of `copies` (1 or more) is for one thread: the kernel deals the
/// connections out among them (SO_REUSEPORT), or they wait on the same socket (Unix sockets and
/// inherited ones). A port that another program has is an error, even if that program shares it.
[[nodiscard]] boost::system::result<BoundSockets, BindError> bind_sockets(
    const Url& url, unsigned copies, const BindOptions& options = {});

/// What the kernel may keep of what a TCP connection has not sent yet, in bytes, beyond what its
/// receiver has room for: accepted sockets inherit it. A client that does not read then costs no
/// more than that, and not the megabytes up to which the kernel's buffer grows.
void limit_unsent(const BoundSockets& sockets, std::uint32_t bytes) noexcept;

}  // namespace linnet::net
