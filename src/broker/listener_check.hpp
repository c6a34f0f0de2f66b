// Whether a listener may be opened at all: its keys agree with each other, and nobody is let in
// from other machines by accident. Reads no files; any thread.
#pragma once

#include <optional>
#include <string>

#include "net/bind.hpp"
#include "net/url.hpp"
#include <linnet/config.hpp>

namespace linnet {

struct ListenerFault {
  std::string key;   // of the listener, or of its TLS: "url", "tls.crl"
  std::string text;  // what is wrong, and the mend
};

/// `inherited` is what the listener's TLS began with: that may stand where it has no effect.
/// `auth` may say who may connect.
[[nodiscard]] std::optional<ListenerFault> find_fault(const ListenerConfig& listener,
                                                      const TlsConfig& inherited,
                                                      const AuthConfig& auth);

/// The same in one line.
[[nodiscard]] std::optional<std::string> listener_error(const ListenerConfig& listener,
                                                        const TlsConfig& inherited,
                                                        const AuthConfig& auth);

/// Two protocols at one place: the second could not be bound.
[[nodiscard]] bool same_place(const net::Url& one, const net::Url& other);

/// How the sockets of a listener without a fault are bound.
[[nodiscard]] net::BindOptions bind_options(const ListenerConfig& listener);

}  // namespace linnet
