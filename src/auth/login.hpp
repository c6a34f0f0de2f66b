// A password or token on its way to be verified: it may take milliseconds, so that a thread of its
// own does it, and a shard only asks.
#pragma once

#include <cstdint>
#include <string>

#include "auth/identity.hpp"
#include "auth/policy.hpp"
#include "auth/secret.hpp"

namespace linnet::auth {

/// One question to the worker. Owns all that it carries.
struct LoginJob {
  PolicyPtr policy;
  Method method = Method::password;  // password or jwt
  std::string user_name;
  Secret password;
  std::uint64_t source = 0;  // where it comes from, hashed: each source gets its turn
  std::uint32_t shard = 0;   // whom to answer
  std::uint64_t ticket = 0;
  std::uint64_t now_s = 0;  // of the wall clock: tokens are good for a time
};

struct LoginVerdict {
  enum class Outcome : std::uint8_t {
    accepted,
    rejected,  // the user or token is known, and this is not it
    ignored,   // not a matter of this method: the next one is tried
  };
  std::uint64_t ticket = 0;
  Outcome outcome = Outcome::rejected;
  Identity identity{};  // of who is accepted
  std::string fault{};  // why not, for the log
};

/// Verifies now, on the calling thread; takes as long as it takes.
[[nodiscard]] LoginVerdict verify(const LoginJob& job);

/// Where logins wait to be verified.
class LoginQueue {
 public:
  /// Whether this password was verified not long ago, under the same policy. Any thread.
  [[nodiscard]] virtual bool remembers(const LoginJob& job) = 0;
  /// The verdict follows by letter. False if too many wait, of all sources or of this one. Any
  /// thread.
  [[nodiscard]] virtual bool submit(LoginJob job) = 0;
  /// While memory is short, fewer logins are remembered. Any thread.
  virtual void squeeze(bool is_short) = 0;

 protected:
  ~LoginQueue() = default;
};

/// Who passes a verdict on to its shard; called on the worker's thread.
class VerdictSink {
 public:
  virtual void on_verdict(std::uint32_t shard, LoginVerdict verdict) = 0;

 protected:
  ~VerdictSink() = default;
};

}  // namespace linnet::auth
