// The user name that a client's certificate stands for. Pure; any thread.
#pragma once

#include <cstddef>
#include <openssl/x509.h>
#include <optional>
#include <string>

#include <linnet/config.hpp>

namespace linnet::tls {

inline constexpr std::size_t kPeerNameBytesMax = 1024;

/// cn: the last, which is the most specific, common name of the subject.
/// subject: all of it, as RFC 2253 writes it: "CN=pump,O=Works".
/// san: the first e-mail address, else DNS name, else URI, else IP address.
/// none: always an empty name.
///
/// Nothing if the certificate has no such name, or one that cannot be a user name: not UTF-8, with
/// control characters, empty, or longer than kPeerNameBytesMax.
[[nodiscard]] std::optional<std::string> peer_name(const X509& certificate, CertificateName kind);

/// "a common name": what `kind` looks for, for people.
[[nodiscard]] const char* peer_name_text(CertificateName kind) noexcept;

/// The certificate's first SAN, else its subject: what an operator knows it by.
[[nodiscard]] std::string certificate_name(const X509& certificate);

}  // namespace linnet::tls
