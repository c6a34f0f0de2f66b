#include "net/resolver.hpp"

#include <utility>

#include "net/lookup.hpp"

namespace linnet::net {

ResolverPtr Resolver::load(std::string host, std::uint16_t port, std::string& error) {
  ResolverPtr resolver(new Resolver(std::move(host), port));
  error = resolver->look();
  return resolver;
}

std::string Resolver::look() {
  Lookup lookup = look_up(host_, port_);
  if (!lookup.error.empty()) return std::move(lookup.error);
  const std::lock_guard lock(mutex_);
  addresses_ = std::move(lookup.addresses);
  return {};
}

std::vector<SocketAddress> Resolver::addresses() const {
  const std::lock_guard lock(mutex_);
  return addresses_;
}

void Resolver::refresh(std::uint64_t now_ms, const Executor& background) {
  if (!background || is_address(host_)) return;
  {
    const std::lock_guard lock(mutex_);
    if (now_ms < not_before_ms_) return;
    not_before_ms_ = now_ms + kPauseMs;
  }
  background([self = ResolverPtr(this)] { (void)self->look(); });
}

}  // namespace linnet::net
