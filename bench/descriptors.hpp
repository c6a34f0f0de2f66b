// How many sockets a load generator may have.
#pragma once

#include <sys/resource.h>

#include "wire.hpp"

namespace linnet::bench {

/// As many as the system lets it: one end of each connection is here.
inline void allow_many_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) fail_errno("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) fail_errno("setrlimit");
}

}  // namespace linnet::bench
