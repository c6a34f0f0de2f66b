// X-Forwarded-For: the client's address as the proxies in front of us tell it. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "net/endpoint.hpp"
#include "net/networks.hpp"

namespace linnet::web {

/// `value` is the header's list, from a peer that is trusted. Each proxy has added at the right
/// whom it took the request from: so the rightmost address that is not itself a trusted proxy's is
/// the client's; what stands left of it can be the client's own invention. If all are trusted, the
/// leftmost. Nothing if the list is empty, or what is to be believed is no address. The port is 0
/// if none is told.
[[nodiscard]] std::optional<net::Endpoint> told_client(std::string_view value,
                                                       const net::Networks& trusted);

}  // namespace linnet::web
