#include "memory_wire.hpp"

#include <algorithm>
#include <cstring>

#include "work_meter.hpp"

namespace linnet::bench {

net::ReadResult MemoryWire::read(int, std::span<char> room) {
  using State = net::ReadResult::State;
  const WorkMeter::Pause pause;
  const std::size_t size = std::min(peer_.to_broker.size(), room.size());
  if (size == 0) return {State::again, 0};
  std::memcpy(room.data(), peer_.to_broker.data(), size);
  peer_.to_broker.remove_prefix(size);
  return {State::bytes, size};
}

net::WriteResult MemoryWire::write(int, std::span<const iovec> parts) {
  const WorkMeter::Pause pause;
  net::WriteResult result;
  for (const iovec& part : parts) {
    peer_.from_broker.append(static_cast<const char*>(part.iov_base), part.iov_len);
    result.count += part.iov_len;
  }
  return result;
}

}  // namespace linnet::bench
