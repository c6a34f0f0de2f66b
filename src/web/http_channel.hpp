// The beginning of a connection that speaks HTTP: its one request becomes a WebSocket, or is
// answered. See net/channel.hpp.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/channel.hpp"
#include "web/head.hpp"
#include "web/judge.hpp"
#include "web/websocket.hpp"

namespace linnet::web {

class HttpChannel final : public net::Channel {
 public:
  /// The rules and the WebSockets must outlive it. `known` has been read from `below` already.
  HttpChannel(const ReadyRules& rules, const WebSockets& websockets,
              std::unique_ptr<net::Channel> below, const net::Endpoint& peer,
              std::string_view known);

  [[nodiscard]] net::ReadResult read(int socket, std::span<char> room) override;
  [[nodiscard]] bool has_more() const noexcept override;
  [[nodiscard]] net::WriteResult write(int socket, std::span<const iovec> parts) override;
  [[nodiscard]] bool wants_write() const noexcept override;
  [[nodiscard]] net::WriteResult end(int socket) override;
  [[nodiscard]] bool is_opening() const noexcept override;
  [[nodiscard]] Successor take_successor() override;
  [[nodiscard]] std::string fault() const override;
  [[nodiscard]] net::PeerFacts facts() const override;
  [[nodiscard]] const net::Endpoint* told_endpoint() const noexcept override;

 private:
  [[nodiscard]] net::ReadResult take(int socket, std::string_view bytes);
  [[nodiscard]] net::ReadResult follow(Verdict verdict, int socket);
  [[nodiscard]] bool send_answer(int socket);

  const ReadyRules& rules_;
  const WebSockets& websockets_;
  std::unique_ptr<net::Channel> below_;
  std::unique_ptr<net::Channel> next_;
  HeadReader reader_;
  std::string known_;
  std::string answer_;  // what is left to send of it
  std::string fault_;
  net::Endpoint peer_;
  bool refused_ = false;
  bool broken_ = false;
};

}  // namespace linnet::web
