#include "auth/spending.hpp"

#include <span>
#include <utility>

namespace linnet::auth {

namespace {

/// One of the rates that a packet counts for: in a bucket of the connection's own, in one that it
/// shares, or in none.
struct Share {
  const char* rate;
  TokenBucket* own;
  SharedBucket* shared;
  std::uint64_t per_second;
  std::uint64_t amount;
};

std::uint64_t ask(const Share& share, const BucketTerms& terms, std::uint64_t now_ms) {
  if (share.own != nullptr) return share.own->ask(terms, share.amount, now_ms);
  return share.shared == nullptr ? 0 : share.shared->ask(terms, share.amount, now_ms);
}

std::uint64_t spend(const Share& share, const BucketTerms& terms, std::uint64_t now_ms) {
  if (share.own != nullptr) return share.own->spend(terms, share.amount, now_ms);
  return share.shared == nullptr ? 0 : share.shared->spend(terms, share.amount, now_ms);
}

/// Asks all before it takes from any. Another thread may spend in between: then the wait becomes
/// longer than the patience by what it has spent, and no more.
Spending::Wait spend_all(std::span<const Share> shares, const Rates& rates, std::uint64_t now_ms) {
  BucketTerms terms;
  terms.burst_ms = static_cast<std::uint64_t>(rates.burst.count());
  Spending::Wait wait;
  const auto count = [&wait](const Share& share, std::uint64_t wait_ms) {
    if (wait_ms <= wait.wait_ms) return;
    wait.wait_ms = wait_ms;
    wait.rate = share.rate;
  };
  for (const Share& share : shares) {
    terms.rate = share.per_second;
    count(share, ask(share, terms, now_ms));
  }
  wait.refused = wait.wait_ms > static_cast<std::uint64_t>(rates.patience.count());
  if (wait.refused) return wait;
  wait = {};
  for (const Share& share : shares) {
    terms.rate = share.per_second;
    count(share, spend(share, terms, now_ms));
  }
  return wait;
}

bool limits_anything(const RateLimits& limits) noexcept {
  return limits.publishes != 0 || limits.bytes != 0 || limits.subscriptions != 0;
}

}  // namespace

Spending::Spending(AccountPtr user, AccountPtr address) noexcept
    : user_(std::move(user)), address_(std::move(address)) {}

bool Spending::is_needed(const Rates& rates) noexcept {
  return limits_anything(rates.client) || limits_anything(rates.user) ||
         limits_anything(rates.address);
}

Spending::Wait Spending::spend_publish(const Rates& rates, std::uint64_t bytes,
                                       std::uint64_t now_ms) {
  const auto shared = [](const AccountPtr& account, SharedBucket Account::*bucket) {
    return account ? &(account.get()->*bucket) : nullptr;
  };
  const Share shares[] = {
      {"rates.client.publishes", &publishes_, nullptr, rates.client.publishes, 1},
      {"rates.client.bytes", &bytes_, nullptr, rates.client.bytes, bytes},
      {"rates.user.publishes", nullptr, shared(user_, &Account::publishes), rates.user.publishes,
       1},
      {"rates.user.bytes", nullptr, shared(user_, &Account::bytes), rates.user.bytes, bytes},
      {"rates.address.publishes", nullptr, shared(address_, &Account::publishes),
       rates.address.publishes, 1},
      {"rates.address.bytes", nullptr, shared(address_, &Account::bytes), rates.address.bytes,
       bytes},
  };
  return spend_all(shares, rates, now_ms);
}

Spending::Wait Spending::spend_subscribe(const Rates& rates, std::uint32_t filters,
                                         std::uint64_t now_ms) {
  const Share shares[] = {
      {"rates.client.subscriptions", &subscriptions_, nullptr, rates.client.subscriptions, filters},
      {"rates.user.subscriptions", nullptr, user_ ? &user_->subscriptions : nullptr,
       rates.user.subscriptions, filters},
      {"rates.address.subscriptions", nullptr, address_ ? &address_->subscriptions : nullptr,
       rates.address.subscriptions, filters},
  };
  return spend_all(shares, rates, now_ms);
}

}  // namespace linnet::auth
