// A folder with an authority of its own, and a look at its certificates as clients and brokers have
// it, by OpenSSL and not by the code under test.
#pragma once

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <vector>

#include "tls/authority.hpp"

namespace linnet::tls {

namespace fs = std::filesystem;

inline constexpr std::time_t kNow = 1'800'000'000;  // January 2027
inline constexpr std::time_t kDay_s = 86'400;

using X509Owner = std::unique_ptr<X509, decltype(&X509_free)>;
using CrlOwner = std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)>;
using BioOwner = std::unique_ptr<BIO, decltype(&BIO_free)>;

inline BioOwner open_bio(const fs::path& path) {
  return {BIO_new_file(path.c_str(), "r"), &BIO_free};
}

inline X509Owner read_x509(const fs::path& path) {
  const BioOwner bio = open_bio(path);
  return {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), &X509_free};
}

inline CrlOwner read_crl(const fs::path& path) {
  const BioOwner bio = open_bio(path);
  return {PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr), &X509_CRL_free};
}

inline std::string read_text(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

inline mode_t mode_of(const fs::path& path) {
  struct stat facts {};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & 07777;
}

/// How a client or a broker looks at a certificate.
struct Check {
  int purpose = X509_PURPOSE_SSL_SERVER;
  std::string host = {};
  std::string address = {};
  bool revocation = false;
  std::time_t at = kNow;
};

class AuthorityTest : public testing::Test {
 protected:
  AuthorityTest() {
    std::string pattern = (fs::temp_directory_path() / "linnet-authority-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    folder = pattern;
    order.directory = (folder / "certs").string();
    order.days = 30;
    order.now = kNow;
  }
  ~AuthorityTest() override { fs::remove_all(folder); }

  fs::path path(const std::string& name) const { return fs::path(order.directory) / name; }

  Order with_days(int days) const {
    Order changed = order;
    changed.days = days;
    return changed;
  }

  void make_ca(int days = 3650) {
    const auto made = make_authority(with_days(days), "Test CA");
    ASSERT_TRUE(made) << made.error().text;
  }

  /// X509_V_OK, or why it is not believed.
  int verify(const std::string& file, const Check& check) const {
    const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(),
                                                                        &X509_STORE_free);
    const X509Owner ca = read_x509(path("ca.crt"));
    const X509Owner leaf = read_x509(path(file));
    if (!ca || !leaf) return -1;
    X509_STORE_add_cert(store.get(), ca.get());
    X509_VERIFY_PARAM* rules = X509_STORE_get0_param(store.get());
    X509_VERIFY_PARAM_set_time(rules, check.at);
    X509_VERIFY_PARAM_set_purpose(rules, check.purpose);
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_X509_STRICT);
    if (!check.host.empty()) X509_VERIFY_PARAM_set1_host(rules, check.host.c_str(), 0);
    if (!check.address.empty()) X509_VERIFY_PARAM_set1_ip_asc(rules, check.address.c_str());
    if (check.revocation) {
      const CrlOwner crl = read_crl(path("ca.crl"));
      if (!crl) return -1;
      X509_STORE_add_crl(store.get(), crl.get());
      X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_CRL_CHECK);
    }
    const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(
        X509_STORE_CTX_new(), &X509_STORE_CTX_free);
    X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), nullptr);
    return X509_verify_cert(context.get()) == 1 ? X509_V_OK
                                                : X509_STORE_CTX_get_error(context.get());
  }

  bool is_pair(const std::string& basename) const {
    const X509Owner certificate = read_x509(path(basename + ".crt"));
    const BioOwner bio = open_bio(path(basename + ".key"));
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
    return certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
  }

  /// Names that begin with a dot: what was not finished.
  std::vector<std::string> leftovers() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(order.directory)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(".")) found.push_back(name);
    }
    return found;
  }

  fs::path folder;
  Order order;
};

}  // namespace linnet::tls
