// Certificates for the brokers that are measured. They sign themselves, since no client checks
// them.
#pragma once

#include <cstdint>
#include <string>

namespace linnet::bench {

enum class KeyKind : std::uint8_t { p256, rsa2048 };

struct CertificateFiles {
  std::string certificate;
  std::string key;
};

/// Writes a certificate for 127.0.0.1 and its key into `folder`.
[[nodiscard]] CertificateFiles make_certificate(KeyKind kind, const std::string& folder);

}  // namespace linnet::bench
