// What a link carries from the moment it is accepted until its client has been let in: the place
// that it takes among those that are still half open, and the checks of an address that only a
// proxy can tell. It travels with its link.
#pragma once

#include <cstdint>

#include "net/endpoint.hpp"

namespace linnet::net {

class Admission {
 public:
  Admission() = default;
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;
  /// Gives the place back.
  virtual ~Admission() = default;

  /// The client's address as far as it is known now; `final`: nobody will tell another one. False:
  /// it must go, and that has been logged and counted. The accepting shard's thread only; a call
  /// after one with the final address does nothing.
  [[nodiscard]] virtual bool meet(const Endpoint& client, bool final, std::uint64_t now_ms) = 0;
};

}  // namespace linnet::net
