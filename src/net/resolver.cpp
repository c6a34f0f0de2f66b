#include "net/resolver.hpp"

#include <utility>

#include "net/lookup.hpp"

namespace linnet::net {

/// One look in the background. Its end is that of the last copy of the job, whether that ran, was
/// dropped or could not be handed over.
class Resolver::Look : public boost::intrusive_ref_counter<Look> {
 public:
  explicit Look(Resolver& resolver) noexcept : resolver_(&resolver) {}
  Look(const Look&) = delete;
  Look& operator=(const Look&) = delete;
  ~Look() {
    const std::lock_guard lock(resolver_->mutex_);
    resolver_->looking_ = false;
  }

  void run() const { (void)resolver_->look(); }

 private:
  const ResolverPtr resolver_;
};

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
  boost::intrusive_ptr<Look> look;
  {
    const std::lock_guard lock(mutex_);
    if (looking_ || now_ms < not_before_ms_) return;
    look = new Look(*this);
    not_before_ms_ = now_ms + kPauseMs;
    looking_ = true;
  }
  background([job = std::move(look)] { job->run(); });
}

}  // namespace linnet::net
