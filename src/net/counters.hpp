// What the links of one shard have done. Plain integers: its thread only.
#pragma once

#include <cstdint>

namespace linnet::net {

struct LinkCounters {
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t reads = 0;   // system calls that brought bytes
  std::uint64_t writes = 0;  // system calls that took bytes
};

}  // namespace linnet::net
