// What becomes of an HTTP request: a WebSocket, or an answer. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/endpoint.hpp"
#include "net/first_bytes.hpp"
#include "web/answer.hpp"
#include "web/head.hpp"
#include "web/rules.hpp"

namespace linnet::web {

/// A request that is granted.
struct Upgrade {
  std::string key;
  std::string extensions;  // what the client offers
  std::string_view subprotocol;
  std::optional<net::Endpoint> told_client;
};

struct Verdict {
  std::optional<Upgrade> upgrade;
  Answer answer;      // without an upgrade
  std::string fault;  // for the log; empty where the client has done nothing wrong
};

/// The addresses of both sides of a connection.
struct Sides {
  net::Endpoint peer;
  net::Endpoint local;
};

[[nodiscard]] Verdict judge(const Head& head, const ReadyRules& rules, const Sides& sides);

/// What is no request at all, or too long; `protocol` is what its first byte looks like.
[[nodiscard]] Verdict refuse_bytes(HeadReader::State state, net::FirstProtocol protocol);

}  // namespace linnet::web
