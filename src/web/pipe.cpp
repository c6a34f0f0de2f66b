#include "web/pipe.hpp"

#include <algorithm>
#include <cstring>

namespace linnet::web {

void Pipe::begin(int socket) noexcept {
  socket_ = socket;
  writes_ = 0;
  full_ = false;
  fed_ = {};
}

void Pipe::advance() {
  tasks_.run();
  while (reader_ && can_read()) {
    reader_.complete(take_fed());
    tasks_.run();
  }
}

void Pipe::retry() {
  if (!writer_) return;
  const std::size_t count = send(unsent_);
  if (count == 0) return;
  unsent_ = {};
  writer_.complete(count);
  tasks_.run();
}

std::size_t Pipe::take_fed() noexcept {
  if (into_room_) targets_[0] = {room_.data(), std::min(targets_[0].size(), room_.size())};
  std::size_t count = 0;
  for (const auto& target : targets_) {
    const std::size_t part = std::min(target.size(), fed_.size());
    // They may stand in the same memory: a message never comes to stand behind its own bytes.
    if (part > 0) std::memmove(target.data(), fed_.data(), part);
    fed_.remove_prefix(part);
    count += part;
  }
  return count;
}

std::size_t Pipe::send(std::span<const iovec> parts) {
  if (!broken_ && full_) return 0;
  if (!broken_) {
    ++writes_;
    const net::WriteResult result = net::write_to(below_.get(), socket_, parts);
    full_ = result.blocked;
    broken_ = result.failed;
    if (!broken_) return result.count;
  }
  std::size_t size = 0;
  for (const iovec& part : parts)
    size += part.iov_len;
  return size;
}

}  // namespace linnet::web
