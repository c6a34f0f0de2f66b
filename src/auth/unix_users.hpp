// Which user name a process of this machine has that connects through a Unix socket. Immutable; any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "net/peer_facts.hpp"
#include <linnet/config.hpp>

namespace linnet::auth {

class UnixUsers {
 public:
  UnixUsers() = default;
  /// Looks the names up. Nothing if one is unknown: `errors` says which.
  [[nodiscard]] static std::optional<UnixUsers> resolve(const std::vector<UnixUserConfig>& entries,
                                                        std::vector<std::string>& errors);

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  /// The first entry that fits; empty: none does.
  [[nodiscard]] std::string_view find(const net::PeerProcess& process) const noexcept;

 private:
  struct Entry {
    std::optional<uid_t> uid;
    std::optional<gid_t> gid;
    std::string user;
  };

  std::vector<Entry> entries_;
};

}  // namespace linnet::auth
