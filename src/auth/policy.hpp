// All that a configuration says about who may connect and what they may do, with the files that it
// names, read and checked. Immutable: a reload makes a new one and hands it to the shards, and what
// began under the old one keeps it. Any thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "auth/http_service.hpp"
#include "auth/jwt.hpp"
#include "auth/password_file.hpp"
#include "auth/rules.hpp"
#include "auth/secret.hpp"
#include "auth/unix_users.hpp"

namespace linnet::auth {

class Policy : public boost::intrusive_ref_counter<Policy> {
 public:
  /// Null if anything is wrong: `errors` then has every error, a line each with file and line.
  /// Start-up and reload only; reads files.
  [[nodiscard]] static boost::intrusive_ptr<const Policy> load(const AuthConfig& config,
                                                               std::vector<std::string>& errors);

  /// A number that no other policy has: what is remembered under one means nothing to the next.
  [[nodiscard]] std::uint64_t serial() const noexcept { return serial_; }
  [[nodiscard]] const AuthConfig& config() const noexcept { return config_; }
  [[nodiscard]] const Rules& rules() const noexcept { return rules_; }
  /// Null where the configuration has none, or `order` leaves them out.
  [[nodiscard]] const PasswordFile* passwords() const noexcept {
    return passwords_ ? &*passwords_ : nullptr;
  }
  [[nodiscard]] const Jwt* jwt() const noexcept { return jwt_.get(); }
  [[nodiscard]] const UnixUsers& unix_users() const noexcept { return unix_users_; }
  [[nodiscard]] const HttpServicePtr& http() const noexcept { return http_; }
  /// The methods that are configured, in the order in which they are tried.
  [[nodiscard]] std::span<const Method> order() const noexcept { return order_; }
  /// There is a way to log in with what CONNECT brings, or as a known process: who does not use it
  /// is anonymous only by the listener's written word.
  [[nodiscard]] bool has_logins() const noexcept { return has_logins_; }

 private:
  Policy() = default;
  void set_order();

  std::uint64_t serial_ = 0;
  AuthConfig config_;
  std::vector<Method> order_;
  bool has_logins_ = false;
  Rules rules_;
  std::optional<PasswordFile> passwords_;
  std::unique_ptr<const Jwt> jwt_;
  UnixUsers unix_users_;
  HttpServicePtr http_;
};

using PolicyPtr = boost::intrusive_ptr<const Policy>;

}  // namespace linnet::auth
