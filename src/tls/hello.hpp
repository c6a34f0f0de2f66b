// What is decided while a handshake goes on: which certificate, protocol and key. Private to
// make_context().
#pragma once

#include <openssl/ssl.h>

#include "tls/context.hpp"

namespace linnet::tls {

/// ALPN: the first protocol of ours that the client has too. A client that offers some and none of
/// ours is refused: a browser that a hostile page has led to an MQTT port must not get an answer
/// there that it takes for HTTP's.
void choose_protocol_by_alpn(SSL_CTX& context, ContextData& data);

/// SNI: all certificates for the client's name, one of each kind; else the first ones.
void choose_certificates_by_name(SSL_CTX& context, ContextData& data);

void find_pre_shared_keys(SSL_CTX& context);

/// OCSP: for the first certificate, as long as the response is good.
void staple_response(SSL_CTX& context);

/// Certificates of clients: says why one does not pass, and refuses one without a usable name. In
/// place of a session that may not be resumed there is a whole handshake, which verifies anew.
void check_clients(SSL_CTX& context, ClientCertificate demand);

/// A session that is resumed is not verified again. So nothing that may have been looked at when it
/// began, with the client's `certificate`, must have ended at `now`.
[[nodiscard]] bool may_resume(const ContextData& data, const X509& certificate, std::time_t now);

/// The identity whose pre-shared key, or a session that began with it, has opened the connection;
/// empty if it is none.
[[nodiscard]] std::string psk_identity(const SSL& ssl);

/// Those of `certificates` that are shown to a client that asks for `host`: indexes, in order; none
/// if none is for it.
[[nodiscard]] std::vector<std::size_t> certificates_for(
    const std::vector<Certificate>& certificates, std::string_view host);

}  // namespace linnet::tls
