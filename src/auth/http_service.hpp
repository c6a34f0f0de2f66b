// The service that is asked who may connect: auth.http of the configuration, with what it names
// read and checked. Shared by all shards and by what is under way; any thread, but for load().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "auth/secret.hpp"
#include "net/resolver.hpp"
#include "tls/client_context.hpp"
#include <linnet/config.hpp>

namespace linnet::auth {

class HttpService : public boost::intrusive_ref_counter<HttpService> {
 public:
  /// Null if anything is wrong: `errors` then has every error, with its key. Reads files and asks
  /// for the name's addresses: start-up and reload only. auth.http.url must not be empty.
  [[nodiscard]] static boost::intrusive_ptr<const HttpService> load(
      const AuthConfig& config, std::vector<std::string>& errors);

  /// For people: without the query, which may hold what is nobody's business.
  [[nodiscard]] const std::string& url() const noexcept { return url_; }
  /// What an operator should know.
  [[nodiscard]] const std::vector<std::string>& warnings() const noexcept { return warnings_; }

  /// For the request.
  [[nodiscard]] const std::string& host() const noexcept { return host_; }
  [[nodiscard]] const std::string& target() const noexcept { return target_; }
  [[nodiscard]] std::string_view authorization() const noexcept { return authorization_.view(); }

  [[nodiscard]] std::uint64_t timeout_ms() const noexcept { return timeout_ms_; }
  /// How long a yes is remembered that does not say so itself.
  [[nodiscard]] std::uint64_t cache_ms() const noexcept { return cache_ms_; }
  [[nodiscard]] std::size_t questions_max() const noexcept { return questions_max_; }

  [[nodiscard]] net::Resolver& resolver() const noexcept { return *resolver_; }
  /// Null for http.
  [[nodiscard]] const tls::ClientContext* tls() const noexcept { return tls_.get(); }

 private:
  class Loader;
  HttpService() = default;

  std::string url_;
  std::vector<std::string> warnings_;
  std::string host_;
  std::string target_;
  Secret authorization_;
  std::uint64_t timeout_ms_ = 0;
  std::uint64_t cache_ms_ = 0;
  std::size_t questions_max_ = 0;
  net::ResolverPtr resolver_;
  std::unique_ptr<const tls::ClientContext> tls_;
};

using HttpServicePtr = boost::intrusive_ptr<const HttpService>;

}  // namespace linnet::auth
