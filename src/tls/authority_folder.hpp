// The folder of an authority: its own certificate and key. Private to src/tls/authority*. Any
// thread.
#pragma once

#include <ctime>
#include <string>

#include "tls/authority.hpp"
#include "tls/authority_x509.hpp"

namespace linnet::tls {

[[nodiscard]] std::string path_in(const std::string& directory, const std::string& name);

/// A board without a clock boots in 1970: what it signs then, nobody believes. Empty: no fault.
[[nodiscard]] std::string clock_fault(std::time_t now);

/// DIR/ca.crt and DIR/ca.key, checked: they belong together, may sign, and are valid now.
[[nodiscard]] CertResult<x509::Signer> open_authority(const Order& order);

/// Of the first certificate in a file.
[[nodiscard]] CertResult<x509::Certificate> read_certificate(const std::string& path);

}  // namespace linnet::tls
