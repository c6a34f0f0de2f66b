// What user names and addresses use up together, whichever shard their clients are in: connections,
// kept sessions, and rates. Any thread. A table entry lives as long as somebody holds it, and for
// as long as its rates have something to remember, within a bound.
//
// It is asked when a client connects, never for a message: whoever connects keeps the pointers.
//
//   AccountPtr user = accounts.of_user(name);
//   UserPlaces places;
//   if (!places.connection.take(user, limits.connections_per_user_max)) return refuse();
//   ...                                    // any way out gives the place back, until
//   if (places.connection.hand_on()) …     // somebody else answers for it:
//   give_back_one(user->connections);
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include "base/clock.hpp"
#include "base/token_bucket.hpp"
#include "net/endpoint.hpp"

namespace linnet::auth {

/// One user name or one address (of IPv6, one /64).
struct Account {
  Account() = default;
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;

  std::atomic<std::uint32_t> connections{0};  // let in
  std::atomic<std::uint32_t> half_open{0};    // addresses only; see HalfOpen
  std::atomic<std::uint32_t> sessions{0};     // kept ones; user names only
  SharedBucket connects;
  SharedBucket publishes;
  SharedBucket bytes;
  SharedBucket subscriptions;

 protected:
  ~Account() = default;
};
void intrusive_ptr_add_ref(Account* account) noexcept;
/// The last one takes the lock of the account's table: not for a message's way.
void intrusive_ptr_release(Account* account) noexcept;
using AccountPtr = boost::intrusive_ptr<Account>;

/// Counts one more, unless there are `max` already; 0: there is no limit.
[[nodiscard]] bool take_one(std::atomic<std::uint32_t>& count, std::uint32_t max) noexcept;
void give_back_one(std::atomic<std::uint32_t>& count) noexcept;

/// One that has been counted in advance, so that clients of several shards can't pass a limit
/// together: given back unless it is handed on. One thread per object.
class Place {
 public:
  using Count = std::atomic<std::uint32_t> Account::*;

  explicit Place(Count count) noexcept : count_(count) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    if (account_) give_back_one(account_.get()->*count_);
  }

  /// At most once. False if there are `max` (0: no limit) already; of nobody (null) there may be
  /// any number.
  [[nodiscard]] bool take(const AccountPtr& account, std::uint32_t max) noexcept {
    if (!account) return true;
    if (!take_one(account.get()->*count_, max)) return false;
    account_ = account;
    return true;
  }
  /// From now on it is the caller's to give back. False if none was taken.
  [[nodiscard]] bool hand_on() noexcept {
    const bool taken = account_ != nullptr;
    account_.reset();
    return taken;
  }

 private:
  const Count count_;
  AccountPtr account_;
};

/// What a client that connects takes of its user's.
struct UserPlaces {
  Place connection{&Account::connections};
  Place session{&Account::sessions};
};

class Accounts {
 public:
  /// Accounts without a holder that are kept since their rates remember something; beyond this
  /// many, or with names of more than this many bytes, those that lost their holder first are
  /// forgotten.
  static constexpr std::size_t kIdleMax = 100'000;
  static constexpr std::size_t kIdleBytesMax = std::size_t{32} << 20;

  Accounts();
  /// With a clock of the test's.
  explicit Accounts(const Clock& clock);
  Accounts(const Accounts&) = delete;
  Accounts& operator=(const Accounts&) = delete;
  /// Nobody may hold an account any more.
  ~Accounts();

  /// Made if there is none. Null for no user name, and for Unix sockets.
  [[nodiscard]] AccountPtr of_user(std::string_view user_name);
  [[nodiscard]] AccountPtr of_address(const net::Endpoint& address);

  /// rates.burst: nothing is saved up for longer, so what is older need not be remembered. An hour,
  /// the longest that there is, as long as nobody has said.
  void set_burst(std::uint64_t burst_ms) noexcept;

  /// How many user names and addresses are known, with those that nobody holds.
  [[nodiscard]] std::size_t size() const;
  /// Connections of all that have not been let in yet; see HalfOpen.
  [[nodiscard]] std::atomic<std::uint32_t>& half_open() noexcept { return half_open_; }

 private:
  friend void intrusive_ptr_add_ref(Account* account) noexcept;
  friend void intrusive_ptr_release(Account* account) noexcept;
  struct Entry;
  struct Part;
  struct Table;

  std::unique_ptr<Table> users_;
  std::unique_ptr<Table> addresses_;
  std::atomic<std::uint32_t> half_open_{0};
};

/// The place of a connection whose client has not been let in yet, among all of them and among
/// those of its address. Gives back what it has taken; by any thread, one at a time.
class HalfOpen {
 public:
  /// Holds nothing yet. The accounts outlive it.
  explicit HalfOpen(Accounts& accounts) noexcept : accounts_(accounts) {}
  HalfOpen(const HalfOpen&) = delete;
  HalfOpen& operator=(const HalfOpen&) = delete;
  ~HalfOpen();

  /// Each at most once. False if there are `max` (0: no limit) already.
  [[nodiscard]] bool take(std::uint32_t max) noexcept;
  /// A null address is not counted.
  [[nodiscard]] bool take_of_address(AccountPtr address, std::uint32_t max) noexcept;

 private:
  Accounts& accounts_;
  AccountPtr address_;
  bool taken_ = false;
};

}  // namespace linnet::auth
