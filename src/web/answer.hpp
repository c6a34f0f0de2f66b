// An answer to a request that does not become a WebSocket. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace linnet::web {

struct Answer {
  enum class Status : std::uint16_t {
    ok = 200,
    bad_request = 400,
    forbidden = 403,
    not_found = 404,
    method_not_allowed = 405,
    upgrade_required = 426,
    header_too_large = 431,
  };

  Status status = Status::ok;
  std::string text;           // a sentence or two; for `ok` a whole page of HTML
  std::string fields;         // more header lines, each with its end of line
  bool without_body = false;  // to HEAD

  /// As it goes over the wire. The connection ends behind it.
  [[nodiscard]] std::string wire() const;
};

/// The page that tells people what this port is. `path` is where its WebSocket is.
[[nodiscard]] std::string make_page(std::string_view path);

/// What came from a client, as an answer may show it: short, in printable ASCII.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace linnet::web
