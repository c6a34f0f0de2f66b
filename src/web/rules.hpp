// Rules as they are used: parsed once, when a server is made. Immutable; any thread.
#pragma once

#include <vector>

#include "web/origin.hpp"
#include "web/server.hpp"

namespace linnet::web {

struct ReadyRules : Rules {
  explicit ReadyRules(Rules rules);

  std::vector<Origin> allowed;  // of `origins`; what is not an origin is left out
  bool allows_all = false;
};

}  // namespace linnet::web
