#include "web/server.hpp"

#include <utility>

#include "web/http_channel.hpp"
#include "web/rules.hpp"
#include "web/websocket.hpp"

namespace linnet::web {

struct Server::Impl {
  explicit Impl(Rules given)
      : rules(std::move(given)), websockets(rules.deflate, rules.message_max) {}

  ReadyRules rules;
  WebSockets websockets;
};

Server::Server(Rules rules) : impl_(std::make_unique<Impl>(std::move(rules))) {}

Server::~Server() = default;

std::unique_ptr<net::Channel> Server::accept(std::unique_ptr<net::Channel> below,
                                             const net::Endpoint& peer,
                                             std::string_view known) const {
  return std::make_unique<HttpChannel>(impl_->rules, impl_->websockets, std::move(below), peer,
                                       known);
}

}  // namespace linnet::web
