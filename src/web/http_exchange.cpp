#include "web/http_exchange.hpp"

#include <algorithm>
#include <optional>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/cat.hpp"

namespace linnet::web {

namespace http = boost::beast::http;

namespace {

/// 100 Continue, 103 Early Hints: the response proper comes behind them.
bool is_interim(unsigned status) noexcept {
  return status >= 100 && status < 200 && status != 101;
}

}  // namespace

void append_post(std::string& out, const PostRequest& request) {
  const std::string head = cat("POST ", request.target, " HTTP/1.1\r\nHost: ", request.host,
                               "\r\nUser-Agent: Linnet\r\nAccept: application/json"
                               "\r\nConnection: keep-alive\r\n");
  const std::string size =
      cat("Content-Type: application/json\r\nContent-Length: ", request.body.size(), "\r\n\r\n");
  constexpr std::string_view kAuthorization = "Authorization: ";
  constexpr std::string_view kLineEnd = "\r\n";
  out.reserve(out.size() + head.size() + size.size() + kAuthorization.size() +
              request.authorization.size() + kLineEnd.size() + request.body.size());
  out += head;
  if (!request.authorization.empty())
    out.append(kAuthorization).append(request.authorization).append(kLineEnd);
  out += size;
  out += request.body;
}

bool is_header_text(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

struct ResponseReader::Parser {
  std::optional<http::response_parser<http::string_body>> of_beast;
};

ResponseReader::ResponseReader() : parser_(std::make_unique<Parser>()) {
  start();
}

ResponseReader::~ResponseReader() = default;

void ResponseReader::start() {
  auto& parser = parser_->of_beast.emplace();
  parser.header_limit(kHeadMax);
  parser.body_limit(kBodyMax);
  parser.eager(true);
  unread_.clear();
  bytes_ = 0;
}

ResponseReader::State ResponseReader::feed(std::string_view bytes) {
  bytes_ += bytes.size();
  if (bytes_ > kBytesMax) return State::body_too_long;
  unread_ += bytes;
  return put();
}

ResponseReader::State ResponseReader::put() {
  for (;;) {
    auto& parser = *parser_->of_beast;
    boost::system::error_code error;
    const std::size_t used = parser.put(boost::asio::buffer(unread_), error);
    unread_.erase(0, used);
    if (error == http::error::need_more) return State::incomplete;
    if (error == http::error::header_limit) return State::head_too_long;
    if (error == http::error::body_limit || error == http::error::buffer_overflow)
      return State::body_too_long;
    if (error) return State::bad;
    if (!parser.is_done()) {
      // Beast stops after each part, and wants to be asked again while it has something to read.
      if (used == 0 || unread_.empty()) return State::incomplete;
      continue;
    }
    if (!is_interim(status())) return State::whole;
    const std::string rest = std::move(unread_);
    const std::size_t bytes = bytes_;
    start();
    unread_ = rest;
    bytes_ = bytes;
    if (unread_.empty()) return State::incomplete;
  }
}

ResponseReader::State ResponseReader::finish() {
  auto& parser = *parser_->of_beast;
  if (!parser.is_header_done() || !parser.need_eof() || !unread_.empty()) return State::bad;
  boost::system::error_code error;
  parser.put_eof(error);
  return error ? State::bad : State::whole;
}

unsigned ResponseReader::status() const noexcept {
  return parser_->of_beast->get().result_int();
}

std::string_view ResponseReader::body() const noexcept {
  return parser_->of_beast->get().body();
}

bool ResponseReader::keeps_connection() const noexcept {
  const auto& parser = *parser_->of_beast;
  return unread_.empty() && parser.keep_alive() && !parser.need_eof() && status() != 101;
}

}  // namespace linnet::web
