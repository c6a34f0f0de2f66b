#include "web/judge.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/cat.hpp"
#include "web/forwarded.hpp"

namespace linnet::web {

namespace {

using Status = Answer::Status;

constexpr std::string_view kPage = "/";

Verdict refuse(Status status, std::string text, std::string fields = {}) {
  Verdict verdict;
  verdict.fault =
      cat("its HTTP request was answered with ", static_cast<unsigned>(status), ": ", text);
  verdict.answer.status = status;
  verdict.answer.text = std::move(text);
  verdict.answer.fields = std::move(fields);
  return verdict;
}

bool is_offered(std::string_view path, const ReadyRules& rules) noexcept {
  return std::find(rules.paths.begin(), rules.paths.end(), path) != rules.paths.end();
}

bool wants_upgrade(const Head& head) noexcept {
  return head.count("upgrade") > 0 || head.count("sec-websocket-key") > 0;
}

/// Two readers of such a request could understand it in two ways.
std::string_view find_double(const Head& head) noexcept {
  constexpr std::array<std::string_view, 6> kOnce = {
      "host", "upgrade", "origin", "sec-websocket-key", "sec-websocket-version", "content-length"};
  for (const std::string_view name : kOnce) {
    if (head.count(name) > 1) return name;
  }
  return {};
}

bool has_body(const Head& head) noexcept {
  const std::string_view length = head.get("content-length");
  return head.count("transfer-encoding") > 0 || length.find_first_not_of('0') != length.npos;
}

/// Base64 of 16 bytes.
bool is_key(std::string_view text) noexcept {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return text.size() == 24 && text.ends_with("==") &&
         text.substr(0, 22).find_first_not_of(kDigits) == text.npos;
}

std::string paths_text(const ReadyRules& rules) {
  std::string text;
  for (const std::string& path : rules.paths)
    text += cat(text.empty() ? "" : " or ", path);
  return text;
}

Verdict judge_page(const Head& head, const ReadyRules& rules) {
  const std::string_view path = head.path();
  const bool offered = is_offered(path, rules);
  if (path != kPage && !offered) {
    return refuse(Status::not_found,
                  cat("There is nothing here. This is an MQTT broker; its WebSocket is at ",
                      paths_text(rules), '.'));
  }
  if (head.method != "GET" && head.method != "HEAD") {
    return refuse(Status::method_not_allowed, "Only GET and HEAD are answered here.",
                  "Allow: GET, HEAD\r\n");
  }
  if (path != kPage) {
    return refuse(Status::upgrade_required,
                  "This is an MQTT broker: connect to it by WebSocket, with an MQTT client.",
                  "Upgrade: websocket\r\n");
  }
  Verdict verdict;
  verdict.answer.text = make_page(rules.paths.empty() ? kPage : rules.paths.front());
  verdict.answer.without_body = head.method == "HEAD";
  return verdict;
}

std::optional<Verdict> judge_origin(const Head& head, const ReadyRules& rules, const Sides& sides) {
  if (head.count("origin") == 0) return std::nullopt;
  const std::string_view origin = head.get("origin");
  if (is_allowed_origin(origin, rules, sides.local)) return std::nullopt;
  Verdict verdict = refuse(Status::forbidden,
                           "Pages of this origin may not connect to this broker. If they are to, "
                           "name it in listener.origins.");
  verdict.fault = cat("it comes from a page of ", shown(origin),
                      ", which may not connect; if it is to, name it in listener.origins");
  return verdict;
}

std::optional<Verdict> judge_handshake(const Head& head) {
  const auto connection = head.joined("connection");
  if (!has_item(head.get("upgrade"), "websocket") || !has_item(connection, "upgrade")) {
    return refuse(Status::bad_request,
                  "A WebSocket wants Upgrade: websocket and Connection: Upgrade.");
  }
  if (head.get("sec-websocket-version") != "13") {
    return refuse(Status::upgrade_required,
                  "Only version 13 of WebSocket is spoken here (Sec-WebSocket-Version: 13).",
                  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
  }
  if (!is_key(head.get("sec-websocket-key"))) {
    return refuse(Status::bad_request, "Sec-WebSocket-Key is not 16 bytes in base64.");
  }
  return std::nullopt;
}

/// MQTT-6.0.0-3 and -4.
std::string_view choose_subprotocol(const Head& head) {
  const std::string wanted = head.joined("sec-websocket-protocol");
  if (has_exact_item(wanted, "mqtt")) return "mqtt";
  return has_exact_item(wanted, "mqttv3.1") ? "mqttv3.1" : "";
}

Verdict judge_upgrade(const Head& head, const ReadyRules& rules, const Sides& sides) {
  if (head.method != "GET" || !head.is_http_1_1) {
    return refuse(Status::bad_request, "A WebSocket begins with GET and HTTP/1.1.");
  }
  if (!is_offered(head.path(), rules)) {
    return refuse(Status::not_found,
                  cat("There is no WebSocket here; it is at ", paths_text(rules), '.'));
  }
  if (auto refused = judge_origin(head, rules, sides)) return *std::move(refused);
  if (auto refused = judge_handshake(head)) return *std::move(refused);
  Upgrade upgrade;
  upgrade.subprotocol = choose_subprotocol(head);
  if (upgrade.subprotocol.empty()) {
    return refuse(Status::bad_request,
                  "This WebSocket carries MQTT: ask for the subprotocol mqtt "
                  "(Sec-WebSocket-Protocol: mqtt).");
  }
  upgrade.key = head.get("sec-websocket-key");
  upgrade.extensions = head.joined("sec-websocket-extensions");
  if (rules.trusted_proxies.contains(sides.peer)) {
    upgrade.told_client = told_client(head.joined("x-forwarded-for"), rules.trusted_proxies);
  }
  Verdict verdict;
  verdict.upgrade = std::move(upgrade);
  return verdict;
}

Verdict judge_request(const Head& head, const ReadyRules& rules, const Sides& sides) {
  if (const std::string_view name = find_double(head); !name.empty()) {
    return refuse(Status::bad_request, cat("The request says ", name, " more than once."));
  }
  if (head.is_http_1_1 && head.count("host") == 0) {
    return refuse(Status::bad_request, "The request has no Host.");
  }
  if (!wants_upgrade(head)) return judge_page(head, rules);
  if (has_body(head)) return refuse(Status::bad_request, "A WebSocket's request has no body.");
  return judge_upgrade(head, rules, sides);
}

}  // namespace

Verdict judge(const Head& head, const ReadyRules& rules, const Sides& sides) {
  Verdict verdict = judge_request(head, rules, sides);
  if (head.method == "HEAD") verdict.answer.without_body = true;
  return verdict;
}

Verdict refuse_bytes(HeadReader::State state, net::FirstProtocol protocol) {
  if (state == HeadReader::State::too_long) {
    return refuse(Status::header_too_large,
                  cat("The head of the request is longer than ", HeadReader::kHeadMax,
                      " bytes. Are there large cookies?"));
  }
  Verdict verdict = refuse(Status::bad_request, "This is not a request of HTTP/1.1.");
  if (protocol == net::FirstProtocol::tls) {
    verdict.fault = "it speaks TLS, which this listener does not; use wss:// or any://";
  } else if (protocol == net::FirstProtocol::mqtt) {
    verdict.fault = "it speaks MQTT without WebSocket; use mqtt:// or any://";
  }
  return verdict;
}

}  // namespace linnet::web
