// A private certificate authority in a folder: what `linnet cert` does. The folder holds ca.crt and
// ca.key, ca.crl once something was revoked, and the certificates and keys that were made with
// them. All files are PEM. Keys are ECDSA P-256 or RSA 3072, signatures SHA-256, serial numbers 128
// random bits (RFC 5280).
//
//   Order order{.directory = "certs", .days = 365, .now = std::time(nullptr)};
//   auto made = make_server(order, {"broker.example", "192.0.2.7"}, "server");
//
// Every function blocks. Any thread; processes that change the same file are kept apart by a lock
// on its folder. A file appears complete or not at all: it is written under another name, synced
// and renamed. Keys have mode 0600 from their first byte. A file that is replaced keeps its owner,
// group and mode, but a key nothing for others. A certificate of a server or a client that is
// replaced is kept beside it as BASENAME-SERIAL.crt, so that it can still be revoked.
#pragma once

#include <cstdint>
#include <ctime>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/system/result.hpp>

#include "tls/authority_secret.hpp"

namespace linnet::tls {

inline constexpr int kAuthorityDays = 3650;
inline constexpr int kAuthorityDaysMax = 36'500;
inline constexpr int kServerDays = 825;  // the longest that Apple's systems accept
inline constexpr int kClientDays = 825;
inline constexpr std::size_t kCommonNameMax = 64;  // characters (RFC 5280, ub-common-name)
inline constexpr std::size_t kServerNamesMax = 100;
inline constexpr std::size_t kPskIdentityMax = 128;  // bytes (RFC 4279, section 5.3)
inline constexpr std::size_t kPskBytes = 32;

enum class KeyKind : std::uint8_t { ecdsa_p256, rsa_3072 };

struct CertError {
  bool wrong_usage = false;  // what was asked for makes no sense; else the world is to blame
  std::string text;          // names the file or the value, and the mend
};
template <class T>
using CertResult = boost::system::result<T, CertError>;

/// What all orders have in common.
struct Order {
  std::string directory;
  int days = 0;
  std::time_t now = 0;  // UTC
  KeyKind key_kind = KeyKind::ecdsa_p256;
  bool replace = false;  // else a file that exists is an error
};

struct Issued {
  std::string certificate;  // path
  std::string key;          // path
  std::time_t not_after = 0;
  bool cut_short = false;  // it would have outlived its authority
  std::string kept;        // path of the certificate that it has replaced; empty: none
};

/// DIR/ca.crt and DIR/ca.key; the folder is made where it is missing.
[[nodiscard]] CertResult<Issued> make_authority(const Order& order, const std::string& name);

/// DIR/BASENAME.crt and .key for a server with these DNS names and addresses, at least one.
[[nodiscard]] CertResult<Issued> make_server(const Order& order,
                                             const std::vector<std::string>& names,
                                             const std::string& basename);

/// DIR/NAME.crt and .key for a client; the name is its common name.
[[nodiscard]] CertResult<Issued> make_client(const Order& order, const std::string& name);

struct Revoked {
  std::string list;  // path of DIR/ca.crl
  std::string number;
  std::size_t count = 0;             // certificates in the list
  std::vector<std::string> already;  // files that were in it before
  std::time_t next_update = 0;       // after this the list is not believed any more
};

/// Puts certificates of this authority into DIR/ca.crl, and signs it anew. Without files the list
/// is only made, or its time prolonged. `days` 0: as long as the authority.
[[nodiscard]] CertResult<Revoked> revoke(const Order& order, std::span<const std::string> files);

struct PskMade {
  Secret key;  // hexadecimal
  bool replaced = false;
};

/// Adds "identity:key" with a new random key to a file, which is made where it is missing, with its
/// folder. Other lines stay as they are.
[[nodiscard]] CertResult<PskMade> add_psk(const std::string& file, const std::string& identity,
                                          bool replace);

/// A certificate, for people; all texts are UTF-8 without control characters.
struct CertificateSummary {
  std::string subject;  // RFC 2253
  std::string issuer;
  std::vector<std::string> names;  // "DNS:broker.example", "IP:192.0.2.7" ...
  std::string serial;              // hexadecimal
  std::string key;                 // "ECDSA P-256", "RSA 3072" ...
  std::string fingerprint;         // SHA-256, as AA:BB:...
  std::vector<std::string> uses;   // of "authority", "server" and "client"
  std::time_t not_before = 0;
  std::time_t not_after = 0;
};

/// All certificates of a file, PEM or DER; at least one.
[[nodiscard]] CertResult<std::vector<CertificateSummary>> summaries(const std::string& file);

/// How this machine may be called: host name, its .local name, localhost, and the addresses of its
/// interfaces that are up.
[[nodiscard]] std::vector<std::string> names_of_this_machine();

/// "2028-01-15 12:00:00 UTC".
[[nodiscard]] std::string time_text(std::time_t time);

/// "Linnet CA of cellar": a name for an authority that is made on this machine.
[[nodiscard]] std::string default_authority_name();

}  // namespace linnet::tls
