#include "web/answer.hpp"

#include "base/cat.hpp"

namespace linnet::web {

namespace {

constexpr std::size_t kShownMax = 200;

std::string_view phrase_of(Answer::Status status) noexcept {
  switch (status) {
    case Answer::Status::ok: return "OK";
    case Answer::Status::bad_request: return "Bad Request";
    case Answer::Status::forbidden: return "Forbidden";
    case Answer::Status::not_found: return "Not Found";
    case Answer::Status::method_not_allowed: return "Method Not Allowed";
    case Answer::Status::upgrade_required: return "Upgrade Required";
    case Answer::Status::header_too_large: return "Request Header Fields Too Large";
  }
  return {};
}

std::string escaped_html(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    switch (letter) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result += letter;
    }
  }
  return result;
}

}  // namespace

std::string Answer::wire() const {
  const bool page = status == Status::ok;
  const std::string body = page ? text : cat(text, '\n');
  // Nothing of a page may run or load, and nobody may frame it.
  std::string result = cat(
      "HTTP/1.1 ", static_cast<unsigned>(status), ' ', phrase_of(status), "\r\nServer: Linnet\r\n",
      "Content-Type: text/", page ? "html" : "plain", "; charset=utf-8\r\n",
      "Content-Length: ", body.size(), "\r\nConnection: close\r\nCache-Control: no-store\r\n",
      "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n",
      "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n", fields, "\r\n");
  if (!without_body) result += body;
  return result;
}

std::string make_page(std::string_view path) {
  const std::string where = escaped_html(path);
  return cat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>Linnet</title>\n</head>\n",
      "<body>\n<h1>Linnet</h1>\n<p>This is Linnet, an MQTT broker.</p>\n",
      "<p>Connect an MQTT client by WebSocket to <code>ws://</code>this address<code>", where,
      "</code>, or, if you have come here by https, to <code>wss://</code>this address<code>",
      where, "</code>.</p>\n</body>\n</html>\n");
}

std::string shown(std::string_view text) {
  std::string result(text.substr(0, kShownMax));
  for (char& letter : result) {
    if (letter < ' ' || letter > '~') letter = '?';
  }
  if (text.size() > kShownMax) result += "...";
  return result;
}

}  // namespace linnet::web
