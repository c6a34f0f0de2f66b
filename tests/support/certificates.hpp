// Certificates, keys and revocation lists for tests, made on the spot, and a folder for their
// files. A test that includes this links OpenSSL::SSL.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace linnet::test {

/// A folder that goes with its object.
class Folder {
 public:
  Folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "linnet-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = pattern;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return (path_ / name).string(); }
  /// Only we can read it.
  std::string write(const std::string& name, const std::string& text) const {
    const auto file = path(name);
    std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
    std::filesystem::permissions(
        file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    return file;
  }

 private:
  std::filesystem::path path_;
};

inline constexpr std::time_t kDay_s = 24 * 3600;

enum class KeyKind : std::uint8_t { ec, rsa, rsa_1024 };

struct CertificateSpec {
  std::string common_name = {};   // empty: none
  std::string organisation = {};  // empty: none
  std::string names = {};         // "DNS:broker.example,IP:127.0.0.1"; empty: none
  std::string usage = {};         // "serverAuth", "clientAuth"; empty: none
  bool is_authority = false;
  KeyKind key = KeyKind::ec;
  std::time_t begins_s = -kDay_s;  // from now
  std::time_t ends_s = 365 * kDay_s;
};

/// A certificate and its key.
class Identity {
 public:
  /// Signed by itself where there is no signer.
  explicit Identity(const CertificateSpec& spec, const Identity* signer = nullptr)
      : key_(make_key(spec.key), EVP_PKEY_free), certificate_(X509_new(), X509_free) {
    X509* made = certificate_.get();
    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set_int64(X509_get_serialNumber(made), next_serial());
    X509_time_adj_ex(X509_getm_notBefore(made), 0, static_cast<long>(spec.begins_s), nullptr);
    X509_time_adj_ex(X509_getm_notAfter(made), 0, static_cast<long>(spec.ends_s), nullptr);
    add_name("CN", spec.common_name);
    add_name("O", spec.organisation);
    const Identity& issuer = signer == nullptr ? *this : *signer;
    X509_set_issuer_name(made, X509_get_subject_name(issuer.certificate_.get()));
    X509_set_pubkey(made, key_.get());
    add_extension(NID_basic_constraints, spec.is_authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (spec.is_authority) add_extension(NID_key_usage, "critical,keyCertSign,cRLSign");
    if (!spec.names.empty()) add_extension(NID_subject_alt_name, spec.names);
    if (!spec.usage.empty()) add_extension(NID_ext_key_usage, spec.usage);
    if (X509_sign(made, issuer.key_.get(), EVP_sha256()) == 0)
      throw std::runtime_error("a test's certificate could not be signed");
  }

  [[nodiscard]] X509* certificate() const { return certificate_.get(); }
  [[nodiscard]] EVP_PKEY* key() const { return key_.get(); }

  [[nodiscard]] std::string pem() const {
    return to_text([this](BIO* bio) { PEM_write_bio_X509(bio, certificate_.get()); });
  }
  /// Encrypted where there is a pass phrase.
  [[nodiscard]] std::string key_pem(const std::string& pass_phrase = {}) const {
    return to_text([&](BIO* bio) {
      const auto* secret = reinterpret_cast<const unsigned char*>(pass_phrase.data());
      PEM_write_bio_PrivateKey(bio, key_.get(), pass_phrase.empty() ? nullptr : EVP_aes_128_cbc(),
                               secret, static_cast<int>(pass_phrase.size()), nullptr, nullptr);
    });
  }
  /// Ours, of what we have revoked.
  [[nodiscard]] std::string revocation_list(const std::vector<const Identity*>& revoked,
                                            std::time_t ends_s = 30 * kDay_s) const {
    const std::unique_ptr<X509_CRL, void (*)(X509_CRL*)> list(X509_CRL_new(), X509_CRL_free);
    X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(certificate_.get()));
    const auto set_time = [&](int (*set)(X509_CRL*, const ASN1_TIME*), std::time_t from_now_s) {
      ASN1_TIME* time = X509_time_adj_ex(nullptr, 0, static_cast<long>(from_now_s), nullptr);
      set(list.get(), time);
      ASN1_TIME_free(time);
    };
    set_time(X509_CRL_set1_lastUpdate, -2 * kDay_s);
    set_time(X509_CRL_set1_nextUpdate, ends_s);
    for (const Identity* identity : revoked) {
      X509_REVOKED* entry = X509_REVOKED_new();
      ASN1_TIME* now = X509_time_adj_ex(nullptr, 0, -60, nullptr);
      X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(identity->certificate()));
      X509_REVOKED_set_revocationDate(entry, now);
      X509_CRL_add0_revoked(list.get(), entry);
      ASN1_TIME_free(now);
    }
    X509_CRL_sign(list.get(), key_.get(), EVP_sha256());
    return to_text([&](BIO* bio) { PEM_write_bio_X509_CRL(bio, list.get()); });
  }

 private:
  static EVP_PKEY* make_key(KeyKind kind) {
    EVP_PKEY* key = kind == KeyKind::ec ? EVP_EC_gen("P-256")
                                        : EVP_RSA_gen(kind == KeyKind::rsa ? 2048U : 1024U);
    if (key == nullptr) throw std::runtime_error("a test's key could not be made");
    return key;
  }
  static std::int64_t next_serial() {
    static std::int64_t serial = 1000;
    return ++serial;
  }
  template <class Write>
  static std::string to_text(Write write) {
    const std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new(BIO_s_mem()), BIO_free);
    write(bio.get());
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
  }
  void add_name(const char* field, const std::string& value) {
    if (value.empty()) return;
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate_.get()), field, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(value.data()),
                               static_cast<int>(value.size()), -1, 0);
  }
  void add_extension(int id, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate_.get(), certificate_.get(), nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
    if (extension == nullptr) throw std::runtime_error("a test's extension is wrong: " + value);
    X509_add_ext(certificate_.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }

  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
  std::unique_ptr<X509, void (*)(X509*)> certificate_;
};

/// A private authority, a server's certificate for "localhost" and 127.0.0.1, and a client's for
/// "pump", all good.
struct Works {
  Identity authority{{.common_name = "Test works", .is_authority = true}};
  Identity server{{.common_name = "server", .names = "DNS:localhost,IP:127.0.0.1"}, &authority};
  Identity client{{.common_name = "pump", .usage = "clientAuth"}, &authority};
};

}  // namespace linnet::test
