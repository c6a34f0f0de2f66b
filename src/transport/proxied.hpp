// A connection whose client is known by the word of a trusted proxy alone: its bytes pass as they
// are.
#pragma once

#include <string>
#include <utility>

#include "net/channel.hpp"

namespace linnet::transport {

class Proxied final : public net::Channel {
 public:
  explicit Proxied(std::string user_name) noexcept : user_name_(std::move(user_name)) {}

  [[nodiscard]] net::ReadResult read(int socket, std::span<char> room) override {
    return net::read_from(nullptr, socket, room);
  }
  [[nodiscard]] net::WriteResult write(int socket, std::span<const iovec> parts) override {
    return net::write_to(nullptr, socket, parts);
  }
  [[nodiscard]] net::WriteResult end(int /*socket*/) override { return {}; }
  [[nodiscard]] net::PeerFacts facts() const override {
    return {net::PeerFacts::Proof::proxy, user_name_, {user_name_, {}, {}}, std::nullopt};
  }

 private:
  std::string user_name_;
};

}  // namespace linnet::transport
