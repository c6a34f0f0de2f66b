// Asks a service by HTTP who may connect: a POST of the connect facts as JSON, answered by
//   {"result": "allow" | "deny" | "ignore", "user": …, "groups": […], "acl": […], "expires": …}
// On the shard's own event loop; one object per shard, its thread only. Whatever goes wrong is a
// denial (fail closed). An answer of allow is remembered for its own or the configured time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "auth/identity.hpp"
#include "auth/policy.hpp"
#include "auth/secret.hpp"
#include "net/reactor.hpp"

namespace linnet::auth {

/// What the service is told.
struct HttpQuestion {
  std::string client_id;
  std::string user_name;
  Secret password;
  std::string address;   // "192.0.2.7"
  std::string listener;  // its URL
  std::string certificate_cn;
  std::uint8_t protocol_version = 4;
};

struct HttpAnswer {
  enum class Result : std::uint8_t { allow, deny, ignore, unavailable };
  Result result = Result::unavailable;
  Identity identity;  // of allow
  std::string fault;  // of unavailable: why, for the log
};

class HttpCallout {
 public:
  using Ticket = std::uint64_t;  // 0: none
  using OnAnswer = std::function<void(HttpAnswer answer)>;

  explicit HttpCallout(net::Reactor& reactor);
  ~HttpCallout();
  HttpCallout(const HttpCallout&) = delete;
  HttpCallout& operator=(const HttpCallout&) = delete;

  /// `on_answer` is called once, never from within ask(), unless forget() comes first. Questions
  /// beyond auth.login_queue_max are answered `unavailable` at once (at the end of the turn).
  [[nodiscard]] Ticket ask(PolicyPtr policy, HttpQuestion question, OnAnswer on_answer);
  void forget(Ticket ticket) noexcept;
  /// A new policy: what was remembered is forgotten.
  void clear();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::auth
