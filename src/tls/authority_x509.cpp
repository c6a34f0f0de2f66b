#include "tls/authority_x509.hpp"

#include <arpa/inet.h>
#include <limits>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace linnet::tls::x509 {
namespace {

constexpr long kVersion3 = 2;
constexpr int kSerialBits = 128;

bool set_serial(X509& certificate) {
  const BigNumber number(BN_new());
  return number && BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

bool set_common_name(X509& certificate, const std::string& name) {
  std::vector<unsigned char> bytes(name.begin(), name.end());
  return X509_NAME_add_entry_by_NID(X509_get_subject_name(&certificate), NID_commonName,
                                    MBSTRING_UTF8, bytes.data(), static_cast<int>(bytes.size()), -1,
                                    0) == 1;
}

bool add_extension(X509& certificate, X509V3_CTX& context, int id, const char* value) {
  const Extension extension = make_extension(context, id, value);
  return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

/// By hand and not by OpenSSL's configuration language, in which a name could mean something.
bool add_name(GENERAL_NAMES& names, const std::string& name) {
  unsigned char address[16];
  int length = 0;
  if (::inet_pton(AF_INET, name.c_str(), address) == 1) length = 4;
  if (length == 0 && ::inet_pton(AF_INET6, name.c_str(), address) == 1) length = 16;
  ASN1_STRING* value = length != 0 ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
  GENERAL_NAME* entry = GENERAL_NAME_new();
  const bool filled =
      value != nullptr && entry != nullptr &&
      ASN1_STRING_set(value, length != 0 ? static_cast<const void*>(address) : name.data(),
                      length != 0 ? length : static_cast<int>(name.size())) == 1;
  if (!filled) {
    ASN1_STRING_free(value);
    GENERAL_NAME_free(entry);
    return false;
  }
  GENERAL_NAME_set0_value(entry, length != 0 ? GEN_IPADD : GEN_DNS, value);
  if (sk_GENERAL_NAME_push(&names, entry) > 0) return true;
  GENERAL_NAME_free(entry);
  return false;
}

bool add_names(X509& certificate, const std::vector<std::string>& names) {
  if (names.empty()) return true;
  const Names list(sk_GENERAL_NAME_new_null());
  if (!list) return false;
  for (const std::string& name : names) {
    if (!add_name(*list, name)) return false;
  }
  return X509_add1_ext_i2d(&certificate, NID_subject_alt_name, list.get(), 0, X509V3_ADD_DEFAULT) ==
         1;
}

const char* key_usage(Purpose purpose, const EVP_PKEY& key) {
  if (purpose == Purpose::authority) return "critical,keyCertSign,cRLSign";
  // An RSA key also decrypts, for devices that know no Diffie-Hellman.
  const bool decrypts = purpose == Purpose::server && EVP_PKEY_get_base_id(&key) == EVP_PKEY_RSA;
  return decrypts ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature";
}

bool add_extensions(X509& certificate, X509* issuer, const Content& content, const EVP_PKEY& key) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, &certificate, nullptr, nullptr, 0);
  const bool authority = content.purpose == Purpose::authority;
  if (!add_extension(certificate, context, NID_basic_constraints,
                     authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") ||
      !add_extension(certificate, context, NID_key_usage, key_usage(content.purpose, key)) ||
      !add_extension(certificate, context, NID_subject_key_identifier, "hash")) {
    return false;
  }
  if (!authority) {
    const char* use = content.purpose == Purpose::server ? "serverAuth" : "clientAuth";
    if (!add_extension(certificate, context, NID_ext_key_usage, use)) return false;
  }
  // Without "always" a certificate that signs itself would be left without one; a foreign authority
  // may have none to give.
  return add_extension(certificate, context, NID_authority_key_identifier,
                       authority ? "keyid:always" : "keyid") &&
         add_names(certificate, content.names);
}

/// A key with a passphrase is an error and no question.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

Bio reading(std::string_view text) {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return nullptr;
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Secret contents(BIO& bio) {
  Secret text;
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(&bio, &bytes);
  if (size > 0) text.append({bytes, static_cast<std::size_t>(size)});
  return text;
}

}  // namespace

Key make_key(KeyKind kind) {
  if (kind == KeyKind::rsa_3072) {
    return Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{3072}));
  }
  return Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
}

Certificate make_certificate(const Content& content, EVP_PKEY& key, const Signer* signer) {
  Certificate certificate(X509_new());
  if (!certificate) return nullptr;
  X509* issuer = signer != nullptr ? signer->certificate.get() : certificate.get();
  EVP_PKEY* signing_key = signer != nullptr ? signer->key.get() : &key;
  const bool filled = X509_set_version(certificate.get(), kVersion3) == 1 &&
                      set_serial(*certificate) &&
                      set_common_name(*certificate, content.common_name) &&
                      X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer)) == 1 &&
                      set_time(X509_getm_notBefore(certificate.get()), content.not_before) &&
                      set_time(X509_getm_notAfter(certificate.get()), content.not_after) &&
                      X509_set_pubkey(certificate.get(), &key) == 1 &&
                      add_extensions(*certificate, issuer, content, key) &&
                      X509_sign(certificate.get(), signing_key, digest_for(*signing_key)) > 0;
  if (!filled) return nullptr;
  return certificate;
}

const EVP_MD* digest_for(const EVP_PKEY& key) noexcept {
  const int id = EVP_PKEY_get_base_id(&key);
  return id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448 ? nullptr : EVP_sha256();
}

Secret to_pem(const EVP_PKEY& key) {
  const Bio bio(BIO_new(BIO_s_secmem()));  // wiped when it is freed
  if (!bio ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return {};
  }
  return contents(*bio);
}

Secret to_pem(const X509& certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), &certificate) != 1) return {};
  return contents(*bio);
}

Secret to_pem(const X509_CRL& list) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509_CRL(bio.get(), &list) != 1) return {};
  return contents(*bio);
}

Key key_from_pem(std::string_view text) {
  const Bio bio = reading(text);
  if (!bio) return nullptr;
  return Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
}

RevocationList list_from_pem(std::string_view text) {
  const Bio bio = reading(text);
  if (!bio) return nullptr;
  return RevocationList(PEM_read_bio_X509_CRL(bio.get(), nullptr, no_passphrase, nullptr));
}

std::vector<Certificate> certificates_from(std::string_view text) {
  std::vector<Certificate> list;
  const Bio bio = reading(text);
  if (!bio) return list;
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) {
    list.emplace_back(next);
  }
  if (!list.empty()) {
    // The end of the text is an error like any other, but not one of a damaged certificate.
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) list.clear();
    ERR_clear_error();
    return list;
  }
  const auto* bytes = static_cast<const unsigned char*>(static_cast<const void*>(text.data()));
  Certificate der(d2i_X509(nullptr, &bytes, static_cast<long>(text.size())));
  if (der) list.push_back(std::move(der));
  return list;
}

Extension make_extension(X509V3_CTX& context, int id, const char* value) {
  X509V3_set_ctx_nodb(&context);
  return Extension(X509V3_EXT_conf_nid(nullptr, &context, id, value));
}

std::string to_hex(const ASN1_INTEGER* number) {
  const BigNumber value(ASN1_INTEGER_to_BN(number, nullptr));
  char* text = value ? BN_bn2hex(value.get()) : nullptr;
  const std::string result = text != nullptr ? text : "";
  OPENSSL_free(text);
  return result;
}

}  // namespace linnet::tls::x509
