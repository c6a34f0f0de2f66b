#include "auth/http_service.hpp"

#include <algorithm>
#include <optional>

#include "base/cat.hpp"
#include "net/url.hpp"
#include "tls/read_secret.hpp"
#include "web/http_exchange.hpp"

namespace linnet::auth {

namespace {

constexpr std::size_t kTargetMax = 2048;
constexpr std::size_t kAuthorizationMax = 4096;
constexpr std::string_view kExample = "write for example http://127.0.0.1:8080/mqtt";

struct ServiceUrl {
  net::Url url;
  std::string target;
};

bool is_target_text(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::optional<ServiceUrl> parse_service_url(std::string_view text, std::string& error) {
  const auto refuse = [&](std::string_view why) {
    error = cat("auth.http.url: '", text.substr(0, text.find('?')), "' ", why);
    return std::nullopt;
  };
  const auto query = text.find('?');
  const auto plain = text.substr(0, query);
  if (plain.find('@') != plain.npos)
    return refuse("has a user; put what proves who asks into auth.http.authorization_file");
  if (text.find('#') != text.npos) return refuse("has a fragment ('#'), which is never sent");
  const auto url = net::parse_url(plain);
  const bool is_http =
      url && (url->scheme == net::Scheme::http || url->scheme == net::Scheme::https);
  if (!is_http || url->host.empty() || url->port == 0)
    return refuse(cat("is no URL of a service; ", kExample));
  if (url->host.find('%') != url->host.npos)
    return refuse("has an address with a zone; give the service an address without one");
  std::string target = url->path;
  if (query != text.npos) target += text.substr(query);
  if (target.size() > kTargetMax) return refuse(cat("is longer than ", kTargetMax, " bytes"));
  if (!is_target_text(target))
    return refuse("has blanks or characters that must be written as %20 and the like");
  return ServiceUrl{*url, std::move(target)};
}

std::string host_header(const net::Url& url) {
  const bool brackets = url.host.find(':') != url.host.npos;
  const auto host = cat(brackets ? "[" : "", url.host, brackets ? "]" : "");
  const bool usual = url.port == (url.scheme == net::Scheme::https ? 443 : 80);
  return usual ? host : cat(host, ':', url.port);
}

}  // namespace

class HttpService::Loader {
 public:
  Loader(const AuthConfig& config, std::vector<std::string>& errors)
      : config_(config), errors_(errors), service_(new HttpService()) {}

  [[nodiscard]] HttpServicePtr load() {
    const auto count = errors_.size();
    load_url();
    load_authorization();
    const HttpAuthConfig& http = config_.http;
    service_->timeout_ms_ = static_cast<std::uint64_t>(http.timeout.count());
    service_->cache_ms_ = static_cast<std::uint64_t>(http.cache.count());
    service_->questions_max_ = config_.login_queue_max;
    return errors_.size() == count ? HttpServicePtr(service_.get()) : nullptr;
  }

 private:
  void load_url() {
    std::string error;
    const auto parsed = parse_service_url(config_.http.url, error);
    if (!parsed) return errors_.push_back(std::move(error));
    const net::Url& url = parsed->url;
    service_->url_ = url.text();
    service_->host_ = host_header(url);
    service_->target_ = parsed->target;
    if (net::is_tls(url.scheme)) {
      service_->tls_ = tls::ClientContext::open(config_.http.ca, url.host, error);
      if (service_->tls_ == nullptr) errors_.push_back(cat("auth.http.ca: ", error));
    } else if (!config_.http.ca.empty()) {
      errors_.push_back("auth.http.ca is given, but auth.http.url does not begin with https://");
    } else if (!net::is_loopback(url)) {
      service_->warnings_.push_back(cat("auth.http.url: passwords travel to ", service_->url_,
                                        " as everybody on the way can read them; use https://"));
    }
    service_->resolver_ = net::Resolver::load(url.host, url.port, error);
    if (!error.empty())
      service_->warnings_.push_back(cat("auth.http.url: the host of ", service_->url_,
                                        " cannot be found now (", error,
                                        "): until it is, who would be asked about is refused"));
  }

  void load_authorization() {
    const std::string& file = config_.http.authorization_file;
    if (file.empty()) return;
    std::string error;
    const auto text = tls::read_secret(file, error);
    if (!text) return errors_.push_back(cat("auth.http.authorization_file: ", error));
    auto line = text->view().substr(0, text->view().find('\n'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.size() > kAuthorizationMax || !web::is_header_text(line)) {
      errors_.push_back(cat("auth.http.authorization_file: ", file,
                            ": its first line must be the value of an Authorization header, at "
                            "most ",
                            kAuthorizationMax, " bytes of ASCII, for example 'Bearer 3f9a…'"));
      return;
    }
    service_->authorization_ = Secret(line);
  }

  const AuthConfig& config_;
  std::vector<std::string>& errors_;
  boost::intrusive_ptr<HttpService> service_;
};

HttpServicePtr HttpService::load(const AuthConfig& config, std::vector<std::string>& errors) {
  return Loader(config, errors).load();
}

}  // namespace linnet::auth
