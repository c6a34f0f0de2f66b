// The part of the table with the keys of [[listener]], and of the TLS that each listener and the
// top have alike.
#pragma once

#include <array>

#include "config/fields.hpp"
#include "config/keys.hpp"

namespace linnet::config {

// Each in the order of its enumerators.
inline constexpr auto kTlsVersions = std::to_array<std::string_view>({"1.0", "1.1", "1.2", "1.3"});
inline constexpr auto kClientCertificates =
    std::to_array<std::string_view>({"required", "optional"});
inline constexpr auto kCertificateNames =
    std::to_array<std::string_view>({"cn", "subject", "san", "none"});

inline constexpr std::array kListenerKeys{
    Key{.name = "listener.url",
        .type = KeyType::text,
        .field = field<&ListenerConfig::url>(),
        .meaning =
            "Where to listen: `mqtt://host:port`, `mqtts://`, `ws://host:port/path`, `wss://`, "
            "`any://` (all of them on one port) or `unix:/path`. `*` is all addresses. "
            "Needed.",
        .default_note = "none"},
    Key{.name = "listener.allow_anonymous",
        .type = KeyType::boolean,
        .field = field<&ListenerConfig::allow_anonymous>(),
        .meaning = "Whether clients may connect without a user name. On loopback they may without "
                   "this as long as no way to log in is configured, except where "
                   "`trusted_proxies` is set.",
        .default_note = "as at the top"},
    Key{.name = "listener.free_bind",
        .type = KeyType::boolean,
        .field = field<&ListenerConfig::free_bind>(),
        .meaning = "Whether the address may still be missing from this machine at start, as early "
                   "at boot.",
        .restart = true},
    Key{.name = "listener.proxy_protocol",
        .type = KeyType::boolean,
        .field = field<&ListenerConfig::proxy_protocol>(),
        .meaning =
            "Whether each connection begins with a header of the PROXY protocol, version 1 or "
            "2, from one of `trusted_proxies`."},
    Key{.name = "listener.trusted_proxies",
        .type = KeyType::texts,
        .field = field<&ListenerConfig::trusted_proxies>(),
        .meaning = "Whose PROXY header, or X-Forwarded-For, is believed: `\"10.0.0.0/8\"`, "
                   "`\"2001:db8::1\"`, `\"loopback\"` or `\"unix\"`."},
    Key{.name = "listener.origins",
        .type = KeyType::texts,
        .field = field<&ListenerConfig::origins>(),
        .meaning =
            "Web pages that may connect by WebSocket, beside those of the listener's own host "
            "and of loopback: `\"https://app.example.com\"`, or `\"*\"` for any."},
    Key{.name = "listener.deflate",
        .type = KeyType::boolean,
        .field = field<&ListenerConfig::deflate>(),
        .meaning = "Whether WebSocket clients may compress (permessage-deflate); each that does "
                   "costs about 55 KiB."},
    Key{.name = "listener.allow",
        .type = KeyType::texts,
        .field = field<&ListenerConfig::allow>(),
        .meaning = "Networks that clients may come from, written as `trusted_proxies` are; without "
                   "any, they may come from everywhere."},
    Key{.name = "listener.deny",
        .type = KeyType::texts,
        .field = field<&ListenerConfig::deny>(),
        .meaning = "Networks that clients must not come from; this goes before `allow`."},
    Key{.name = "listener.mode",
        .type = KeyType::text,
        .field = field<&ListenerConfig::mode>(),
        .meaning = "The permissions of a Unix socket, octal. Who may write to it may connect.",
        .default_note = "`\"0660\"`",
        .restart = true},
    Key{.name = "listener.owner",
        .type = KeyType::text,
        .field = field<&ListenerConfig::owner>(),
        .meaning = "The user, by name or number, that a Unix socket belongs to.",
        .default_note = "Linnet's own",
        .restart = true},
    Key{.name = "listener.group",
        .type = KeyType::text,
        .field = field<&ListenerConfig::group>(),
        .meaning = "The group, by name or number, that a Unix socket belongs to.",
        .default_note = "Linnet's own",
        .restart = true},
};

/// The keys of the TlsConfig that `tls` leads to. Their names begin with "listener.", of which
/// `cut` bytes are left out.
template <auto tls, std::size_t cut>
inline constexpr std::array kTlsKeysOf{
    Key{.name = std::string_view("listener.tls.cert").substr(cut),
        .type = KeyType::texts,
        .field = field<tls, &TlsConfig::cert>(),
        .meaning = "The certificate, with those that sign it. Of several, the one that names the "
                   "host that the client asks for (SNI) is shown."},
    Key{.name = std::string_view("listener.tls.key").substr(cut),
        .type = KeyType::texts,
        .field = field<tls, &TlsConfig::key>(),
        .meaning = "The private key of each certificate, in the same order."},
    Key{.name = std::string_view("listener.tls.client_ca").substr(cut),
        .type = KeyType::text,
        .field = field<tls, &TlsConfig::client_ca>(),
        .meaning =
            "The authorities that sign clients' certificates. Without it, none is asked for.",
        .default_note = "none"},
    Key{.name = std::string_view("listener.tls.client_certificate").substr(cut),
        .type = KeyType::choice,
        .field = field<tls, &TlsConfig::client_certificate>(),
        .choices = kClientCertificates,
        .meaning = "With `client_ca`: whether a client has to show a certificate."},
    Key{.name = std::string_view("listener.tls.identity").substr(cut),
        .type = KeyType::choice,
        .field = field<tls, &TlsConfig::identity>(),
        .choices = kCertificateNames,
        .meaning = "What of a client's certificate becomes its user name."},
    Key{.name = std::string_view("listener.tls.crl").substr(cut),
        .type = KeyType::text,
        .field = field<tls, &TlsConfig::crl>(),
        .meaning = "The list of clients' certificates that were revoked.",
        .default_note = "none"},
    Key{.name = std::string_view("listener.tls.psk_file").substr(cut),
        .type = KeyType::text,
        .field = field<tls, &TlsConfig::psk_file>(),
        .meaning =
            "Pre-shared keys, one `identity:hexadecimal key` a line. The identity becomes the "
            "user name.",
        .default_note = "none"},
    Key{.name = std::string_view("listener.tls.version_min").substr(cut),
        .type = KeyType::choice,
        .field = field<tls, &TlsConfig::version_min>(),
        .choices = kTlsVersions,
        .meaning = "The oldest version of TLS that is spoken. Those before 1.2 are not safe."},
    Key{.name = std::string_view("listener.tls.ciphers").substr(cut),
        .type = KeyType::text,
        .field = field<tls, &TlsConfig::ciphers>(),
        .meaning = "The ciphers up to TLS 1.2, as OpenSSL names them.",
        .default_note = "those that are safe"},
    Key{.name = std::string_view("listener.tls.ciphersuites").substr(cut),
        .type = KeyType::text,
        .field = field<tls, &TlsConfig::ciphersuites>(),
        .meaning = "The cipher suites of TLS 1.3, as OpenSSL names them.",
        .default_note = "those that are safe"},
    Key{.name = std::string_view("listener.tls.session_tickets").substr(cut),
        .type = KeyType::boolean,
        .field = field<tls, &TlsConfig::session_tickets>(),
        .meaning = "Whether clients may resume a session, which saves most of a handshake."},
    Key{.name = std::string_view("listener.tls.ktls").substr(cut),
        .type = KeyType::boolean,
        .field = field<tls, &TlsConfig::ktls>(),
        .meaning = "Whether the kernel encrypts, where it can."},
    Key{.name = std::string_view("listener.tls.ocsp_staple").substr(cut),
        .type = KeyType::text,
        .field = field<tls, &TlsConfig::ocsp_staple>(),
        .meaning = "A DER file with the OCSP response for the first certificate.",
        .default_note = "none"},
};

inline constexpr const auto& kListenerTlsKeys = kTlsKeysOf<&ListenerConfig::tls, 0>;
inline constexpr const auto& kTlsKeys =
    kTlsKeysOf<&Config::tls, std::string_view("listener.").size()>;

}  // namespace linnet::config
