#include "net/bind.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/assert.hpp"
#include "base/cat.hpp"

namespace linnet::net {

namespace {

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn

std::error_code last_error() noexcept {
  return {errno, std::generic_category()};
}

/// An address of any family, as the kernel takes it.
struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] int family() const noexcept { return storage.ss_family; }
  [[nodiscard]] const sockaddr* get() const noexcept {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
  void set_port(std::uint16_t port) noexcept {
    const in_port_t wire = htons(port);
    if (family() == AF_INET) reinterpret_cast<sockaddr_in&>(storage).sin_port = wire;
    if (family() == AF_INET6) reinterpret_cast<sockaddr_in6&>(storage).sin6_port = wire;
  }
};

struct Lookup {
  std::vector<Address> addresses;
  std::string error;  // empty: it worked
};

BindError explain(const Url& url, std::error_code code) {
  const std::string name = url.text();
  if (code == std::errc::address_in_use && url.scheme == Scheme::unix_socket) {
    return {code, cat(name, " is in use by another program; stop it or choose another path")};
  }
  if (code == std::errc::address_in_use) {
    return {code, cat(name, " is in use by another program; stop it or choose another port")};
  }
  if (code == std::errc::permission_denied && url.port != 0 && url.port < 1024) {
    return {code, cat(name, " needs permission: ports below 1024 belong to the system; choose ",
                      "another port, or give the program CAP_NET_BIND_SERVICE")};
  }
  if (code == std::errc::address_not_available) {
    return {code, cat(name, " is not an address of this machine; write * for all its addresses")};
  }
  return {code, cat(name, " cannot be listened on: ", code.message())};
}

Lookup look_up(const Url& url) {
  Lookup lookup;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* list = nullptr;
  const char* host = url.host.empty() ? nullptr : url.host.c_str();
  const int failed = ::getaddrinfo(host, cat(url.port).c_str(), &hints, &list);
  if (failed != 0) {
    lookup.error = cat(url.text(), " has a host that cannot be found (", ::gai_strerror(failed),
                       "); write an address of this machine, or * for all");
    return lookup;
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> guard(list, ::freeaddrinfo);
  for (const addrinfo* found = list; found != nullptr; found = found->ai_next) {
    Address& address = lookup.addresses.emplace_back();
    std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    address.size = found->ai_addrlen;
  }
  return lookup;
}

/// All addresses: one IPv6 socket that takes IPv4, too, or IPv4 alone where there is no IPv6.
std::vector<Address> all_addresses(const Url& url) {
  std::vector<Address> both(2);
  both[0].storage.ss_family = AF_INET6;  // its zero bytes are [::] and 0.0.0.0
  both[0].size = sizeof(sockaddr_in6);
  both[1].storage.ss_family = AF_INET;
  both[1].size = sizeof(sockaddr_in);
  for (Address& address : both)
    address.set_port(url.port);
  return both;
}

void set_option(const FileDescriptor& socket, int level, int option, int value) noexcept {
  // What cannot be set is not needed to serve: the defaults are slower, not wrong.
  [[maybe_unused]] const int failed =
      ::setsockopt(socket.get(), level, option, &value, sizeof value);
}

struct Opened {
  FileDescriptor socket;
  std::error_code error;
};

Opened open_socket(const Address& address, bool both_families, bool shared) {
  Opened opened;
  const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  opened.socket = FileDescriptor(::socket(address.family(), type, 0));
  if (!opened.socket) return {{}, last_error()};
  if (address.family() != AF_UNIX) {
    set_option(opened.socket, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(opened.socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(opened.socket, IPPROTO_TCP, TCP_NODELAY, 1);
    if (shared) set_option(opened.socket, SOL_SOCKET, SO_REUSEPORT, 1);
  }
  if (address.family() == AF_INET6) {
    set_option(opened.socket, IPPROTO_IPV6, IPV6_V6ONLY, both_families ? 0 : 1);
  }
  if (::bind(opened.socket.get(), address.get(), address.size) != 0) return {{}, last_error()};
  return opened;
}

std::uint16_t port_of(const FileDescriptor& socket) noexcept {
  Address address;
  address.size = sizeof address.storage;
  auto* target = reinterpret_cast<sockaddr*>(&address.storage);
  if (::getsockname(socket.get(), target, &address.size) != 0) return 0;
  if (address.family() == AF_INET6) {
    return ntohs(reinterpret_cast<sockaddr_in6&>(address.storage).sin6_port);
  }
  return ntohs(reinterpret_cast<sockaddr_in&>(address.storage).sin_port);
}

bool is_missing_family(std::error_code error) noexcept {
  return error == std::errc::address_family_not_supported ||
         error == std::errc::address_not_available;
}

/// Binds all copies of one address; `target.url` gets the port.
std::error_code bind_address(Address address, bool both, BoundSockets& target) {
  const bool shared = target.copies.size() > 1;
  address.set_port(target.url.port);
  if (shared && target.url.port != 0) {
    // A socket that does not share notices another program that does.
    const Opened probe = open_socket(address, both, false);
    if (probe.error) return probe.error;
  }
  for (auto& copy : target.copies) {
    Opened opened = open_socket(address, both, shared);
    if (!opened.error && ::listen(opened.socket.get(), kBacklog) != 0) opened.error = last_error();
    if (opened.error) return opened.error;
    if (target.url.port == 0) {
      target.url.port = port_of(opened.socket);
      address.set_port(target.url.port);
    }
    copy.push_back(std::move(opened.socket));
  }
  return {};
}

std::error_code bind_all(const std::vector<Address>& addresses, BoundSockets& target) {
  const bool both = target.url.host.empty() || target.url.host == "::";
  std::error_code missing;
  for (const Address& address : addresses) {
    if (const auto error = bind_address(address, both, target)) {
      if (!is_missing_family(error)) return error;
      missing = error;
      continue;
    }
    if (target.url.host.empty()) break;  // the first one takes both families
  }
  return target.copies.front().empty() ? missing : std::error_code{};
}

/// A socket file that nobody listens on any more is left from a program that was killed.
void remove_stale(const Address& address, const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return;
  const FileDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(probe.get(), address.get(), address.size) != 0 && errno == ECONNREFUSED) {
    ::unlink(path.c_str());
  }
}

std::error_code bind_unix(BoundSockets& target) {
  Address address;
  auto& name = reinterpret_cast<sockaddr_un&>(address.storage);
  name.sun_family = AF_UNIX;
  const std::string& path = target.url.path;
  LINNET_ASSERT(path.size() < sizeof name.sun_path);
  std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
  address.size = sizeof name;
  remove_stale(address, path);
  Opened opened = open_socket(address, false, false);
  if (opened.error) return opened.error;
  if (::listen(opened.socket.get(), kBacklog) != 0) return last_error();
  for (std::size_t at = 1; at < target.copies.size(); ++at) {
    // Unix sockets have no SO_REUSEPORT; several threads can wait on the same one.
    FileDescriptor copy(::fcntl(opened.socket.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) return last_error();
    target.copies[at].push_back(std::move(copy));
  }
  target.copies.front().push_back(std::move(opened.socket));
  return {};
}

}  // namespace

boost::system::result<BoundSockets, BindError> bind_sockets(const Url& url, unsigned copies) {
  LINNET_ASSERT(copies > 0);
  BoundSockets bound;
  bound.url = url;
  bound.copies.resize(copies);
  std::error_code error;
  if (url.scheme == Scheme::unix_socket) {
    error = bind_unix(bound);
  } else {
    Lookup lookup;
    if (url.host.empty()) {
      lookup.addresses = all_addresses(url);
    } else {
      lookup = look_up(url);
    }
    if (!lookup.error.empty()) {
      return BindError{std::make_error_code(std::errc::host_unreachable), lookup.error};
    }
    error = bind_all(lookup.addresses, bound);
  }
  if (error) return explain(url, error);
  return bound;
}

}  // namespace linnet::net
