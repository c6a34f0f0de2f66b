// What user names and addresses use up together, whichever shard their clients are in: connections,
// kept sessions, and rates. Any thread. A table entry lives as long as somebody holds it, and for as
// long as its rates have something to remember, within a bound.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include "base/token_bucket.hpp"
#include "net/endpoint.hpp"

namespace linnet::auth {

/// One user name or one address (of IPv6, one /64).
struct Account {
  std::atomic<std::uint32_t> connections{0};  // let in
  std::atomic<std::uint32_t> half_open{0};    // addresses only
  std::atomic<std::uint32_t> sessions{0};     // kept ones; user names only
  SharedBucket connects;
  SharedBucket publishes;
  SharedBucket bytes;
  SharedBucket subscriptions;
};
using AccountPtr = boost::intrusive_ptr<Account>;

class Accounts {
 public:
  Accounts();
  ~Accounts();
  Accounts(const Accounts&) = delete;
  Accounts& operator=(const Accounts&) = delete;

  /// Made if there is none. Null for no user name, and for Unix sockets.
  [[nodiscard]] AccountPtr of_user(std::string_view user_name);
  [[nodiscard]] AccountPtr of_address(const net::Endpoint& address);

 private:
  struct Table;
  std::unique_ptr<Table> users_;
  std::unique_ptr<Table> addresses_;
};

}  // namespace linnet::auth
