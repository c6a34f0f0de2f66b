// A channel whose other side is a script: reading gives the pieces that it was given, and what is
// written is kept.
#pragma once

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>

#include "net/channel.hpp"

namespace linnet::test {

/// What the other side says, and has heard.
struct Script {
  std::deque<std::string> says;
  std::string heard;
  std::size_t takes = ~std::size_t{0};  // bytes of each write; 0: it is blocked
  bool closes = false;                  // after all that it says
};

class ScriptedChannel final : public net::Channel {
 public:
  explicit ScriptedChannel(Script& script) : script_(script) {}

  [[nodiscard]] net::ReadResult read(int, std::span<char> room) override {
    using State = net::ReadResult::State;
    if (script_.says.empty()) return {script_.closes ? State::closed : State::again};
    std::string& piece = script_.says.front();
    const std::size_t count = std::min(piece.size(), room.size());
    std::memcpy(room.data(), piece.data(), count);
    piece.erase(0, count);
    if (piece.empty()) script_.says.pop_front();
    return {State::bytes, count};
  }

  [[nodiscard]] net::WriteResult write(int, std::span<const iovec> parts) override {
    net::WriteResult result;
    for (const iovec& part : parts) {
      const std::size_t count = std::min(part.iov_len, script_.takes - result.count);
      script_.heard.append(static_cast<const char*>(part.iov_base), count);
      result.count += count;
      result.blocked = result.blocked || count < part.iov_len;
    }
    return result;
  }

  [[nodiscard]] net::WriteResult end(int) override { return {}; }

 private:
  Script& script_;
};

}  // namespace linnet::test
