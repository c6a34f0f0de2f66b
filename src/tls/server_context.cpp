#include "tls/server_context.hpp"

#include <mutex>
#include <utility>

#include "tls/context.hpp"
#include "tls/openssl_channel.hpp"

namespace linnet::tls {

struct ServerContext::Impl {
  // What connections that begin now get. The caller owns one count of it.
  [[nodiscard]] SslContextPtr current() const {
    const std::lock_guard lock(mutex);
    SSL_CTX_up_ref(context.get());
    return SslContextPtr(context.get());
  }

  // Constant after open().
  TlsConfig config;
  Offer offer = Offer::mqtt;

  SslContextPtr prepared;  // by a reload that has not succeeded yet

  mutable std::mutex mutex;
  SslContextPtr context;
};

ServerContext::ServerContext(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
ServerContext::~ServerContext() = default;

std::unique_ptr<ServerContext> ServerContext::open(const TlsConfig& config, Offer offer,
                                                   std::string& error) {
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  impl->offer = offer;
  if (!(impl->context = make_context(config, offer, error))) return nullptr;
  return std::unique_ptr<ServerContext>(new ServerContext(std::move(impl)));
}

bool ServerContext::reload(std::string& error) {
  if (!prepare(error)) return false;
  commit();
  return true;
}

bool ServerContext::prepare(std::string& error) {
  impl_->prepared = make_context(impl_->config, impl_->offer, error);
  return impl_->prepared != nullptr;
}

void ServerContext::commit() noexcept {
  if (!impl_->prepared) return;
  const std::lock_guard lock(impl_->mutex);
  impl_->context.swap(impl_->prepared);
  impl_->prepared.reset();
}

void ServerContext::forget() noexcept {
  impl_->prepared.reset();
}

std::unique_ptr<ServerChannel> ServerContext::accept(int socket) const {
  return OpensslChannel::make(*impl_->current(), socket);
}

std::vector<CertificateFacts> ServerContext::certificates() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<CertificateFacts> facts;
  for (const Certificate& certificate : data_of(*impl_->context).certificates)
    facts.push_back({certificate.file, certificate.name, certificate.validity.not_after});
  return facts;
}

std::vector<std::string> ServerContext::warnings(std::time_t now) const {
  const std::lock_guard lock(impl_->mutex);
  return warnings_of(data_of(*impl_->context), now);
}

}  // namespace linnet::tls
