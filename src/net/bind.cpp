#include "net/bind.hpp"

#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/assert.hpp"
#include "base/cat.hpp"
#include "net/bind_unix.hpp"
#include "net/lookup.hpp"
#include "net/socket_address.hpp"

namespace linnet::net {

namespace {

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn

std::error_code last_error() noexcept {
  return {errno, std::generic_category()};
}

BindError explain(const Url& url, std::error_code code) {
  const std::string name = url.text();
  if (code == std::errc::address_in_use) {
    return {code, cat(name, " is in use by another program; stop it or choose another port")};
  }
  if (code == std::errc::permission_denied && url.port != 0 && url.port < 1024) {
    return {code, cat(name, " needs permission: ports below 1024 belong to the system; choose ",
                      "another port, or give the program CAP_NET_BIND_SERVICE")};
  }
  if (code == std::errc::address_not_available) {
    return {code, cat(name,
                      " is not an address of this machine; write * for all its addresses, "
                      "or set free_bind = true if the address comes later")};
  }
  return {code, cat(name, " cannot be listened on: ", code.message())};
}

/// All addresses: one IPv6 socket that takes IPv4, too, or IPv4 alone where there is no IPv6.
std::vector<SocketAddress> all_addresses(const Url& url) {
  std::vector<SocketAddress> both(2);
  both[0].storage.ss_family = AF_INET6;  // its zero bytes are [::] and 0.0.0.0
  both[0].size = sizeof(sockaddr_in6);
  both[1].storage.ss_family = AF_INET;
  both[1].size = sizeof(sockaddr_in);
  for (SocketAddress& address : both)
    address.set_port(url.port);
  return both;
}

void set_option(const FileDescriptor& socket, int level, int option, int value) noexcept {
  // What cannot be set is not needed to serve: the defaults are slower, not wrong.
  [[maybe_unused]] const int failed =
      ::setsockopt(socket.get(), level, option, &value, sizeof value);
}

/// What accepted connections inherit. A peer that has vanished is noticed after 10 minutes: 5 of
/// silence, and 10 questions without an answer.
void set_tcp_options(const FileDescriptor& socket) noexcept {
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, 300);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, 30);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 10);
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
}

struct Opened {
  FileDescriptor socket;
  std::error_code error;
};

struct OpenOptions {
  bool shared = false;
  bool free_bind = false;
};

Opened open_socket(const SocketAddress& address, OpenOptions options) {
  Opened opened;
  const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  opened.socket = FileDescriptor(::socket(address.family(), type, 0));
  if (!opened.socket) return {{}, last_error()};
  set_option(opened.socket, SOL_SOCKET, SO_REUSEADDR, 1);
  set_tcp_options(opened.socket);
  if (options.shared) set_option(opened.socket, SOL_SOCKET, SO_REUSEPORT, 1);
  if (address.family() == AF_INET6) {
    set_option(opened.socket, IPPROTO_IPV6, IPV6_V6ONLY, address.is_ipv6_any() ? 0 : 1);
    if (options.free_bind) set_option(opened.socket, IPPROTO_IPV6, IPV6_FREEBIND, 1);
  } else if (options.free_bind) {
    set_option(opened.socket, IPPROTO_IP, IP_FREEBIND, 1);
  }
  if (::bind(opened.socket.get(), address.get(), address.size) != 0) return {{}, last_error()};
  return opened;
}

bool is_missing_family(std::error_code error) noexcept {
  return error == std::errc::address_family_not_supported ||
         error == std::errc::address_not_available;
}

/// Binds all copies of one address; `target.url` gets the port.
std::error_code bind_address(SocketAddress address, bool free_bind, BoundSockets& target) {
  const bool shared = target.copies.size() > 1;
  address.set_port(target.url.port);
  if (shared && target.url.port != 0) {
    // A socket that does not share notices another program that does.
    const Opened probe = open_socket(address, {.shared = false, .free_bind = free_bind});
    if (probe.error) return probe.error;
  }
  for (auto& copy : target.copies) {
    Opened opened = open_socket(address, {.shared = shared, .free_bind = free_bind});
    if (!opened.error && ::listen(opened.socket.get(), kBacklog) != 0) opened.error = last_error();
    if (opened.error) return opened.error;
    if (target.url.port == 0) {
      target.url.port = SocketAddress::of(opened.socket.get()).port();
      address.set_port(target.url.port);
    }
    copy.push_back(std::move(opened.socket));
  }
  return {};
}

/// Takes the inherited sockets of these addresses, and the addresses off the list.
std::error_code use_inherited(InheritedSockets& inherited, std::vector<SocketAddress>& addresses,
                              BoundSockets& target) {
  int error = 0;
  std::erase_if(addresses, [&](const SocketAddress& address) {
    FileDescriptor socket = inherited.take(address);
    if (!socket) return false;
    if (address.family() != AF_UNIX) set_tcp_options(socket);
    if (error == 0) error = share_out(std::move(socket), target);
    return true;
  });
  return {error, std::generic_category()};
}

std::error_code bind_all(const std::vector<SocketAddress>& addresses, bool free_bind,
                         BoundSockets& target) {
  std::error_code missing;
  for (const SocketAddress& address : addresses) {
    if (const auto error = bind_address(address, free_bind, target)) {
      if (!is_missing_family(error)) return error;
      missing = error;
      continue;
    }
    if (target.url.host.empty()) break;  // the first one takes both families
  }
  return target.copies.front().empty() ? missing : std::error_code{};
}

Lookup addresses_of(const Url& url) {
  if (url.scheme == Scheme::unix_socket) return {{SocketAddress::of_path(url.path)}, {}};
  if (url.host.empty()) return {all_addresses(url), {}};
  Lookup lookup = look_up(url.host, url.port);
  if (!lookup.error.empty())
    lookup.error = cat(url.text(), " has a host that cannot be found (", lookup.error,
                       "); write an address of this machine, or * for all");
  return lookup;
}

}  // namespace

boost::system::result<BoundSockets, BindError> bind_sockets(const Url& url, unsigned copies,
                                                            const BindOptions& options) {
  LINNET_ASSERT(copies > 0);
  BoundSockets bound{url, std::vector<std::vector<FileDescriptor>>(copies), {}};
  Lookup lookup = addresses_of(url);
  if (!lookup.error.empty()) {
    return BindError{std::make_error_code(std::errc::host_unreachable), lookup.error};
  }
  auto& addresses = lookup.addresses;
  if (options.inherited != nullptr) {
    if (const auto error = use_inherited(*options.inherited, addresses, bound)) {
      return explain(url, error);
    }
    // For all addresses, one of the two is enough.
    const bool done = url.host.empty() && !bound.copies.front().empty();
    if (done || addresses.empty()) return bound;
  }
  if (url.scheme == Scheme::unix_socket) {
    if (auto error = bind_unix(options, bound)) return std::move(*error);
    return bound;
  }
  if (const auto error = bind_all(addresses, options.free_bind, bound)) return explain(url, error);
  return bound;
}

void limit_unsent(const BoundSockets& sockets, std::uint32_t bytes) noexcept {
  for (const auto& copy : sockets.copies) {
    for (const FileDescriptor& socket : copy)
      set_option(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, static_cast<int>(bytes));
  }
}

}  // namespace linnet::net
