// Asks a service by HTTP who may connect: a POST of the connect facts as JSON, answered by
//   {"result": "allow" | "deny" | "ignore", "user": …, "groups": […], "acl": […], "expires": …}
// On the shard's own event loop; one object per shard, its thread only. Whatever goes wrong is a
// denial (fail closed). An answer of allow is remembered for its own or the configured time; equal
// questions at the same time are asked once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "auth/http_service.hpp"
#include "auth/identity.hpp"
#include "auth/secret.hpp"
#include "base/clock.hpp"
#include "net/reactor.hpp"
#include "net/resolver.hpp"

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
  std::string fault;  // of unavailable: why, for the log; it has been logged, but for a full queue
};

class HttpCallout {
 public:
  using Ticket = std::uint64_t;  // 0: none
  using OnAnswer = std::function<void(HttpAnswer answer)>;

  static constexpr std::size_t kRememberedMax = 10'000;

  /// The clock tells whether an answer has expired. `background` looks up the service's name again
  /// when nobody answers; without one, the addresses of the start stand.
  HttpCallout(net::Reactor& reactor, const Clock& clock, net::Executor background);
  ~HttpCallout();
  HttpCallout(const HttpCallout&) = delete;
  HttpCallout& operator=(const HttpCallout&) = delete;

  /// `on_answer` is called once, never from within ask(), unless forget() comes first; it may ask
  /// and forget, but must not destroy this object. Questions beyond auth.login_queue_max are
  /// answered `unavailable` at once (at the end of the turn). A service other than the last one
  /// (a new policy's) does as clear() does.
  [[nodiscard]] Ticket ask(const HttpServicePtr& service, const HttpQuestion& question,
                           OnAnswer on_answer);
  void forget(Ticket ticket) noexcept;
  /// A new policy: what was remembered is forgotten, and what is under way will not be remembered.
  void clear();
  /// While memory is short, fewer answers are remembered.
  void squeeze(bool is_short) noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::auth
