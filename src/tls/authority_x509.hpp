// OpenSSL's objects for an authority: keys, certificates and lists, to and from PEM. Private to
// src/tls/authority*. Any thread. Null or false means that OpenSSL has failed; take_openssl_error()
// then says why.
#pragma once

#include <ctime>
#include <memory>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string>
#include <string_view>
#include <vector>

#include "tls/authority.hpp"
#include "tls/openssl_types.hpp"

namespace linnet::tls::x509 {

using Key = KeyPtr;
using Certificate = X509Ptr;
using RevocationList = X509CrlPtr;
using Names = GeneralNamesPtr;
using Bio = BioPtr;
using Revocation = std::unique_ptr<X509_REVOKED, OpensslDelete<X509_REVOKED_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, OpensslDelete<X509_EXTENSION_free>>;
using Integer = std::unique_ptr<ASN1_INTEGER, OpensslDelete<ASN1_INTEGER_free>>;
using Time = std::unique_ptr<ASN1_TIME, OpensslDelete<ASN1_TIME_free>>;
using BigNumber = std::unique_ptr<BIGNUM, OpensslDelete<BN_free>>;

enum class Purpose : std::uint8_t { authority, server, client };

/// What a certificate says.
struct Content {
  Purpose purpose = Purpose::client;
  std::string common_name;
  std::vector<std::string> names;  // DNS names and IP addresses; checked before
  std::time_t not_before = 0;
  std::time_t not_after = 0;
};

/// Who signs.
struct Signer {
  Certificate certificate;
  Key key;
};

[[nodiscard]] Key make_key(KeyKind kind);

/// Signed by `signer`; by the key itself if that is null.
[[nodiscard]] Certificate make_certificate(const Content& content, EVP_PKEY& key,
                                           const Signer* signer);

/// What this kind of key signs with; null where it has a digest of its own.
[[nodiscard]] const EVP_MD* digest_for(const EVP_PKEY& key) noexcept;

[[nodiscard]] Secret to_pem(const EVP_PKEY& key);
[[nodiscard]] Secret to_pem(const X509& certificate);
[[nodiscard]] Secret to_pem(const X509_CRL& list);

[[nodiscard]] Key key_from_pem(std::string_view text);
[[nodiscard]] RevocationList list_from_pem(std::string_view text);
/// All certificates of a PEM text, or the one of a DER text.
[[nodiscard]] std::vector<Certificate> certificates_from(std::string_view text);

/// An extension, as OpenSSL's own configuration language describes it.
[[nodiscard]] Extension make_extension(X509V3_CTX& context, int id, const char* value);

[[nodiscard]] std::string to_hex(const ASN1_INTEGER* number);

}  // namespace linnet::tls::x509
