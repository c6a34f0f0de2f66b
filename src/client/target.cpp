#include "client/target.hpp"

#include <cerrno>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <system_error>

#include "base/cat.hpp"
#include "client/websocket.hpp"
#include "net/lookup.hpp"

namespace linnet::client {

namespace {

bool set_addresses(const net::Url& url, std::vector<net::SocketAddress>& addresses,
                   std::string& error) {
  if (url.scheme == net::Scheme::unix_socket) {
    addresses.push_back(net::SocketAddress::of_path(url.path));
    return true;
  }
  net::Lookup found = net::look_up(url.host, url.port);
  addresses = std::move(found.addresses);
  if (!addresses.empty()) return true;
  error = cat(url.text(), ": ", url.host, " has no address",
              found.error.empty() ? "" : cat(": ", found.error));
  return false;
}

}  // namespace

std::unique_ptr<Target> Target::open(const TargetOptions& options, std::string& error) {
  std::unique_ptr<Target> target(new Target);
  const net::Url& url = target->url_ = options.url;
  target->text_ = url.text();
  if (net::is_tls(url.scheme)) {
    target->tls_ = tls::ClientContext::open(options.tls, error);
    if (target->tls_ == nullptr) return nullptr;
  }
  if (url.scheme == net::Scheme::ws || url.scheme == net::Scheme::wss) {
    const bool ipv6 = url.host.find(':') != std::string::npos;
    target->upgrade_host_ = cat(ipv6 ? cat('[', url.host, ']') : url.host, ':', url.port);
    target->upgrade_path_ = url.path;
  }
  if (!options.from.empty()) {
    const net::Lookup found = net::look_up(options.from, 0);
    if (found.addresses.empty()) {
      error = cat("'", options.from, "' is no address of this machine to connect from");
      return nullptr;
    }
    target->from_ = found.addresses.front();
  }
  if (!set_addresses(url, target->addresses_, error)) return nullptr;
  return target;
}

std::unique_ptr<Target> Target::of(std::string text, std::vector<net::SocketAddress> addresses) {
  std::unique_ptr<Target> target(new Target);
  target->text_ = std::move(text);
  target->addresses_ = std::move(addresses);
  return target;
}

net::FileDescriptor Target::begin_connect(std::string& error) const {
  const net::SocketAddress& address = addresses_[at_];
  const bool local = address.family() == AF_UNIX;
  // To a Unix socket one waits for room in the queue: without waiting it would fail.
  net::FileDescriptor socket(
      ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | (local ? 0 : SOCK_NONBLOCK), 0));
  const int yes = 1;
  if (socket && !local)
    (void)::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  const bool bound =
      from_.size == 0 || local || !socket || ::bind(socket.get(), from_.get(), from_.size) == 0;
  const bool begun = socket && bound &&
                     (::connect(socket.get(), address.get(), address.size) == 0 ||
                      errno == EINPROGRESS || errno == EINTR);
  if (!begun) {
    error = std::generic_category().message(errno);
    if (errno == EADDRNOTAVAIL) error += "; this machine has no port left to connect from";
    return {};
  }
  if (local) (void)::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
  return socket;
}

std::unique_ptr<net::Channel> Target::channel(int socket) const {
  std::unique_ptr<net::Channel> channel;
  if (tls_ != nullptr) channel = tls_->connect(socket);
  if (upgrade_host_.empty()) return channel;
  return std::make_unique<WebsocketChannel>(std::move(channel), upgrade_host_, upgrade_path_);
}

void Target::restart() {
  at_ = 0;
  connected_ = false;
  std::string ignored;
  std::vector<net::SocketAddress> found;
  if (!url_.host.empty() && !net::is_address(url_.host) && set_addresses(url_, found, ignored))
    addresses_ = std::move(found);
}

bool Target::try_next(std::size_t failed) noexcept {
  if (failed != at_) return true;
  if (connected_ || at_ + 1 >= addresses_.size()) return false;
  ++at_;
  return true;
}

}  // namespace linnet::client
