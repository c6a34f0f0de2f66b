#include "transports_certificates.hpp"

#include <memory>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "wire.hpp"

namespace linnet::bench {

namespace {

constexpr long kValidBeforeS = 3'600;
constexpr long kValidS = 7L * 24 * 3'600;

template <class Item, void (*release)(Item*)>
struct Release {
  void operator()(Item* item) const { release(item); }
};
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY, ::EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Release<X509, ::X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION, ::X509_EXTENSION_free>>;

void must(bool done) {
  if (!done) fail("OpenSSL makes no certificate");
}

Key make_key(KeyKind kind) {
  constexpr std::size_t kRsaBits = 2048;
  Key key(kind == KeyKind::p256 ? ::EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")
                                : ::EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", kRsaBits));
  must(key != nullptr);
  return key;
}

Certificate certify(EVP_PKEY* key) {
  Certificate certificate(::X509_new());
  auto* cert = certificate.get();
  must(cert != nullptr && ::X509_set_version(cert, X509_VERSION_3) == 1);
  must(::ASN1_INTEGER_set(::X509_get_serialNumber(cert), 1) == 1);
  must(::X509_gmtime_adj(::X509_getm_notBefore(cert), -kValidBeforeS) != nullptr);
  must(::X509_gmtime_adj(::X509_getm_notAfter(cert), kValidS) != nullptr);
  must(::X509_set_pubkey(cert, key) == 1);
  unsigned char name[] = "127.0.0.1";
  auto* subject = ::X509_get_subject_name(cert);
  must(::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, name, -1, -1, 0) == 1);
  must(::X509_set_issuer_name(cert, subject) == 1);
  const Extension names(
      ::X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1"));
  must(names != nullptr && ::X509_add_ext(cert, names.get(), -1) == 1);
  must(::X509_sign(cert, key, ::EVP_sha256()) > 0);
  return certificate;
}

template <class Write>
void write_pem(const std::string& path, const Write& write) {
  const std::unique_ptr<BIO, Release<BIO, ::BIO_free_all>> file(::BIO_new_file(path.c_str(), "w"));
  if (!file || !write(file.get())) fail("can't write " + path);
}

}  // namespace

CertificateFiles make_certificate(KeyKind kind, const std::string& folder) {
  const auto name = folder + (kind == KeyKind::p256 ? "/p256" : "/rsa2048");
  CertificateFiles files{.certificate = name + ".crt", .key = name + ".key"};
  const auto key = make_key(kind);
  const auto certificate = certify(key.get());
  write_pem(files.certificate,
            [&](BIO* file) { return ::PEM_write_bio_X509(file, certificate.get()) == 1; });
  write_pem(files.key, [&](BIO* file) {
    return ::PEM_write_bio_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
  });
  return files;
}

}  // namespace linnet::bench
