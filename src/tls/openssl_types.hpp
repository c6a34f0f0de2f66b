// Owners of OpenSSL's objects, and what its errors and times say. Any thread.
#pragma once

#include <ctime>
#include <memory>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string>
#include <string_view>

namespace linnet::tls {

template <auto kFree>
struct OpensslDelete {
  template <class T>
  void operator()(T* object) const noexcept {
    kFree(object);
  }
};

struct X509StackDelete {
  void operator()(STACK_OF(X509) * stack) const noexcept { sk_X509_pop_free(stack, X509_free); }
};
struct X509NamesDelete {
  void operator()(STACK_OF(X509_NAME) * names) const noexcept {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
  }
};

using X509Ptr = std::unique_ptr<X509, OpensslDelete<X509_free>>;
using X509CrlPtr = std::unique_ptr<X509_CRL, OpensslDelete<X509_CRL_free>>;
using X509StackPtr = std::unique_ptr<STACK_OF(X509), X509StackDelete>;
using X509NamesPtr = std::unique_ptr<STACK_OF(X509_NAME), X509NamesDelete>;
using X509StorePtr = std::unique_ptr<X509_STORE, OpensslDelete<X509_STORE_free>>;
using X509StoreContextPtr = std::unique_ptr<X509_STORE_CTX, OpensslDelete<X509_STORE_CTX_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, OpensslDelete<GENERAL_NAMES_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslDelete<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, OpensslDelete<BIO_free>>;
using OcspResponsePtr = std::unique_ptr<OCSP_RESPONSE, OpensslDelete<OCSP_RESPONSE_free>>;
using OcspIdPtr = std::unique_ptr<OCSP_CERTID, OpensslDelete<OCSP_CERTID_free>>;
using OcspBasicPtr = std::unique_ptr<OCSP_BASICRESP, OpensslDelete<OCSP_BASICRESP_free>>;
using SslPtr = std::unique_ptr<SSL, OpensslDelete<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, OpensslDelete<SSL_CTX_free>>;

/// Reads from `text`, which must stay.
[[nodiscard]] BioPtr read_bio(std::string_view text);

/// The first error of this thread's queue in OpenSSL's words; the queue is empty then.
[[nodiscard]] std::string take_openssl_error();

/// Seconds since 1970; 0 for null or nonsense.
[[nodiscard]] std::time_t to_time(const ASN1_TIME* time) noexcept;
/// Writes seconds since 1970 as RFC 5280 wants them. Not by ASN1_TIME_set(): a 32-bit OpenSSL may
/// have a time_t of its own size, half of ours.
[[nodiscard]] bool set_time(ASN1_TIME* target, std::time_t time) noexcept;
/// "2026-01-31", UTC.
[[nodiscard]] std::string date_text(std::time_t time);
/// One line as RFC 2253 writes it.
[[nodiscard]] std::string subject_text(const X509_NAME* name);
/// The bytes of a text of a certificate, as long as it lives; empty for none.
[[nodiscard]] std::string_view bytes_of(const ASN1_STRING* text) noexcept;
/// An IP address of 4 or 16 bytes, as people write it; empty for any other size.
[[nodiscard]] std::string address_text(std::string_view bytes);

}  // namespace linnet::tls
