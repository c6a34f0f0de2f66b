#include "auth/jwt_key.hpp"

#include <algorithm>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/cat.hpp"
#include "tls/openssl_types.hpp"

namespace linnet::auth {

namespace {

using MdContextPtr = std::unique_ptr<EVP_MD_CTX, tls::OpensslDelete<EVP_MD_CTX_free>>;
using MacAlgorithmPtr = std::unique_ptr<EVP_MAC, tls::OpensslDelete<EVP_MAC_free>>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, tls::OpensslDelete<EVP_PKEY_CTX_free>>;
using EcdsaPtr = std::unique_ptr<ECDSA_SIG, tls::OpensslDelete<ECDSA_SIG_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, tls::OpensslDelete<BN_free>>;

constexpr std::size_t kMacBytes = 32;
constexpr std::size_t kEs256Bytes = 64;  // r and s, 32 bytes each
constexpr std::size_t kEd25519Bytes = 64;

const unsigned char* bytes(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// A token has r and s as two numbers of fixed length (RFC 7518, section 3.4); OpenSSL wants DER.
std::string es256_to_der(std::string_view signature) {
  if (signature.size() != kEs256Bytes) return {};
  constexpr int kHalf = kEs256Bytes / 2;
  NumberPtr r(BN_bin2bn(bytes(signature), kHalf, nullptr));
  NumberPtr s(BN_bin2bn(bytes(signature) + kHalf, kHalf, nullptr));
  const EcdsaPtr pair(ECDSA_SIG_new());
  if (!r || !s || !pair || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
  if (size <= 0) return {};
  std::string der(static_cast<std::size_t>(size), '\0');
  auto* end = reinterpret_cast<unsigned char*>(der.data());
  if (i2d_ECDSA_SIG(pair.get(), &end) != size) return {};
  return der;
}

bool verify_by_key(EVP_PKEY* key, const EVP_MD* digest, std::string_view text,
                   std::string_view signature) {
  const MdContextPtr context(EVP_MD_CTX_new());
  const bool valid = context != nullptr &&
                     EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
                     EVP_DigestVerify(context.get(), bytes(signature), signature.size(),
                                      bytes(text), text.size()) == 1;
  // What this thread's queue keeps would be told of the next connection's TLS.
  if (!valid) ERR_clear_error();
  return valid;
}

bool is_p256(const EVP_PKEY* key) {
  char group[64];
  std::size_t size = 0;
  return EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 &&
         std::string_view(group, size) == "prime256v1";
}

std::optional<JwtAlgorithm> algorithm_of(const EVP_PKEY* key, std::string& error) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits >= JwtKey::kRsaBitsMin && bits <= JwtKey::kRsaBitsMax) return JwtAlgorithm::rs256;
    error = cat("is an RSA key of ", bits, " bits; RS256 needs ", JwtKey::kRsaBitsMin, " to ",
                JwtKey::kRsaBitsMax);
    return std::nullopt;
  }
  if (EVP_PKEY_is_a(key, "EC") == 1) {
    if (is_p256(key)) return JwtAlgorithm::es256;
    error = "is a key of another elliptic curve than P-256, which is the one of ES256";
    return std::nullopt;
  }
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return JwtAlgorithm::eddsa;
  error = "is a key of a kind that is not known here; RSA, EC (P-256) and Ed25519 are";
  return std::nullopt;
}

}  // namespace

void JwtKeyDelete::operator()(evp_pkey_st* key) const noexcept {
  EVP_PKEY_free(key);
}

void JwtKeyDelete::operator()(evp_mac_ctx_st* mac) const noexcept {
  EVP_MAC_CTX_free(mac);
}

std::string_view name_of(JwtAlgorithm algorithm) noexcept {
  return kJwtAlgorithms[static_cast<std::size_t>(algorithm)];
}

std::optional<JwtAlgorithm> jwt_algorithm(std::string_view name) noexcept {
  const auto* const at = std::find(kJwtAlgorithms.begin(), kJwtAlgorithms.end(), name);
  if (at == kJwtAlgorithms.end()) return std::nullopt;
  return static_cast<JwtAlgorithm>(at - kJwtAlgorithms.begin());
}

std::optional<JwtKey> JwtKey::of_secret(std::string_view secret, std::string& error) {
  if (secret.size() < kSecretBytesMin) {
    error = cat("has ", secret.size(), " bytes; a shared secret needs ", kSecretBytesMin,
                " or more, such as `openssl rand -base64 48` makes");
    return std::nullopt;
  }
  const MacAlgorithmPtr hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  MacPtr mac(hmac != nullptr ? EVP_MAC_CTX_new(hmac.get()) : nullptr);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_END};
  if (mac == nullptr || EVP_MAC_init(mac.get(), bytes(secret), secret.size(), parameters) != 1) {
    error = cat("cannot be used: ", tls::take_openssl_error());
    return std::nullopt;
  }
  return JwtKey(JwtAlgorithm::hs256, std::move(mac), nullptr);
}

std::optional<JwtKey> JwtKey::of_public_key(PublicKeyPtr key, std::string& error) {
  const auto algorithm = algorithm_of(key.get(), error);
  if (!algorithm) return std::nullopt;
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (context == nullptr || EVP_PKEY_public_check(context.get()) != 1) {
    error = cat("is not a sound key: ", tls::take_openssl_error());
    return std::nullopt;
  }
  return JwtKey(*algorithm, nullptr, std::move(key));
}

bool JwtKey::verify_mac(std::string_view text, std::string_view signature) const {
  unsigned char code[kMacBytes];
  std::size_t size = 0;
  const MacPtr mac(EVP_MAC_CTX_dup(mac_.get()));
  if (mac == nullptr || EVP_MAC_update(mac.get(), bytes(text), text.size()) != 1 ||
      EVP_MAC_final(mac.get(), code, &size, sizeof code) != 1) {
    ERR_clear_error();
    return false;
  }
  return size == kMacBytes && signature.size() == kMacBytes &&
         CRYPTO_memcmp(code, signature.data(), kMacBytes) == 0;
}

bool JwtKey::verify(std::string_view text, std::string_view signature) const {
  switch (algorithm_) {
    case JwtAlgorithm::hs256: return verify_mac(text, signature);
    case JwtAlgorithm::rs256: return verify_by_key(key_.get(), EVP_sha256(), text, signature);
    case JwtAlgorithm::es256: {
      const auto der = es256_to_der(signature);
      return !der.empty() && verify_by_key(key_.get(), EVP_sha256(), text, der);
    }
    case JwtAlgorithm::eddsa:
      return signature.size() == kEd25519Bytes &&
             verify_by_key(key_.get(), nullptr, text, signature);
  }
  return false;
}

}  // namespace linnet::auth
