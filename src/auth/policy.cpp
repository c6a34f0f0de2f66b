#include "auth/policy.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"

namespace linnet::auth {

namespace {

std::optional<Method> method_of(std::string_view name) noexcept {
  static constexpr std::array kMethods{Method::certificate, Method::psk, Method::unix,
                                       Method::password,    Method::jwt, Method::http};
  for (const Method method : kMethods) {
    if (name_of(method) == name) return method;
  }
  return std::nullopt;
}

}  // namespace

PolicyPtr Policy::load(const AuthConfig& config, std::vector<std::string>& errors) {
  const std::size_t errors_before = errors.size();
  const boost::intrusive_ptr<Policy> policy(new Policy);
  policy->serial_ = Random().u64();
  policy->config_ = config;
  if (auto rules = load_rules(config, errors)) policy->rules_ = std::move(*rules);
  if (!config.password_file.empty()) {
    policy->passwords_ = PasswordFile::load(config.password_file, errors);
  }
  if (!config.jwt.keys.empty()) policy->jwt_ = Jwt::load(config.jwt, errors);
  if (auto users = UnixUsers::resolve(config.unix_users, errors)) {
    policy->unix_users_ = std::move(*users);
  }
  if (!config.http.url.empty()) policy->http_ = HttpService::load(config, errors);
  if (policy->http_) {
    for (const std::string& warning : policy->http_->warnings())
      log::warn("auth", warning);
  }
  if (errors.size() != errors_before) return nullptr;
  policy->set_order();
  return policy;
}

/// Of the methods, those that have something to look at. What is left out serves nobody, SCRAM
/// included.
void Policy::set_order() {
  if (std::find(config_.order.begin(), config_.order.end(), name_of(Method::password)) ==
      config_.order.end()) {
    passwords_.reset();
  }
  for (const std::string& name : config_.order) {
    const auto method = method_of(name);
    if (!method) continue;
    bool configured = true;
    switch (*method) {
      case Method::unix: configured = !unix_users_.empty(); break;
      case Method::password: configured = passwords_.has_value(); break;
      case Method::jwt: configured = jwt_ != nullptr; break;
      case Method::http: configured = http_ != nullptr; break;
      // What proves them is the listener's matter.
      case Method::certificate:
      case Method::psk:
      case Method::none:
      case Method::scram: break;
    }
    if (!configured) continue;
    order_.push_back(*method);
    const bool below = *method == Method::certificate || *method == Method::psk;
    has_logins_ = has_logins_ || !below;
  }
}

}  // namespace linnet::auth
