// What one connection spends of its rates, and of those that it shares with the other connections
// of its user name and of its address. Held by a connection only where a rate is configured. One
// thread per object.
//
//   const Spending::Wait wait = spending.spend_publish(rates, frame.size(), now_ms);
//   if (wait.refused) return refuse(ReasonCode::message_rate_too_high, wait.rate);
//   if (wait.wait_ms != 0) pause(wait.wait_ms);  // the message itself goes through
#pragma once

#include <cstddef>
#include <cstdint>

#include "auth/accounts.hpp"
#include "base/token_bucket.hpp"
#include <linnet/config.hpp>

namespace linnet::auth {

class Spending {
 public:
  struct Wait {
    /// How long the connection is not to be read; of what is refused, how long it would have been.
    std::uint64_t wait_ms = 0;
    /// That would be longer than rates.patience; nothing has been taken.
    bool refused = false;
    /// The rate that has to be waited for the longest: "rates.user.bytes"; null if there is no
    /// wait.
    const char* rate = nullptr;
  };

  /// Either may be null.
  Spending(AccountPtr user, AccountPtr address) noexcept;

  /// Whether there is anything to spend: what clients send is limited by some rate.
  [[nodiscard]] static bool is_needed(const Rates& rates) noexcept;

  /// One PUBLISH packet of `bytes`. A large one may leave a debt; the next one waits for it.
  [[nodiscard]] Wait spend_publish(const Rates& rates, std::uint64_t bytes, std::uint64_t now_ms);
  [[nodiscard]] Wait spend_subscribe(const Rates& rates, std::uint32_t filters,
                                     std::uint64_t now_ms);

  [[nodiscard]] const AccountPtr& user() const noexcept { return user_; }
  [[nodiscard]] const AccountPtr& address() const noexcept { return address_; }

 private:
  AccountPtr user_;
  AccountPtr address_;
  TokenBucket publishes_;
  TokenBucket bytes_;
  TokenBucket subscriptions_;
};

}  // namespace linnet::auth
