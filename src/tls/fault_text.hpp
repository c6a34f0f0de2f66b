// What went wrong with a connection, in words for its client's and the listener's people. Any
// thread.
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string>

namespace linnet::tls {

/// Of a handshake or a stream that OpenSSL has just failed, by this thread's queue of errors, which
/// is empty then.
[[nodiscard]] std::string take_fault(const SSL& ssl);

/// The same where we are the client: what is wrong with the server, or what it says is wrong with
/// us.
[[nodiscard]] std::string take_server_fault(const SSL& ssl);

/// Of a client's certificate that does not pass.
[[nodiscard]] std::string verify_fault(X509_STORE_CTX& store);

}  // namespace linnet::tls
