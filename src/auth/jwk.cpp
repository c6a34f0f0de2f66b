// JWK Sets (RFC 7517, with the keys of RFC 7518 and RFC 8037).
#include <algorithm>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include <boost/json.hpp>

#include "auth/base64url.hpp"
#include "auth/jwt_keys.hpp"
#include "auth/strict_json.hpp"
#include "base/cat.hpp"
#include "tls/openssl_types.hpp"

namespace linnet::auth {

namespace {

namespace json = boost::json;

using BuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, tls::OpensslDelete<OSSL_PARAM_BLD_free>>;
using ParametersPtr = std::unique_ptr<OSSL_PARAM, tls::OpensslDelete<OSSL_PARAM_free>>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, tls::OpensslDelete<EVP_PKEY_CTX_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, tls::OpensslDelete<BN_free>>;

constexpr std::size_t kKeysMax = 256;
constexpr std::size_t kCoordinateBytes = 32;
constexpr std::size_t kEd25519Bytes = 32;
constexpr std::size_t kRsaBytesMax = 2'048;

enum class Outcome : std::uint8_t { taken, skipped, broken };

// Nothing if there is none, or if it is no text.
std::optional<std::string_view> text_member(const json::object& jwk, std::string_view name) {
  const auto* const value = jwk.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  const auto& text = value->get_string();
  return std::string_view(text.data(), text.size());
}

std::optional<std::string> bytes_member(const json::object& jwk, std::string_view name) {
  const auto text = text_member(jwk, name);
  return text ? decode_base64url(*text) : std::nullopt;
}

const unsigned char* bytes(const std::string& text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

NumberPtr number(const std::string& text) {
  return NumberPtr(BN_bin2bn(bytes(text), static_cast<int>(text.size()), nullptr));
}

PublicKeyPtr build(const char* type, OSSL_PARAM_BLD* builder) {
  const ParametersPtr parameters(OSSL_PARAM_BLD_to_param(builder));
  const KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters != nullptr && context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1) {
    static_cast<void>(
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()));
  }
  ERR_clear_error();
  return PublicKeyPtr(key);
}

PublicKeyPtr rsa_key(const json::object& jwk) {
  const auto n = bytes_member(jwk, "n");
  const auto e = bytes_member(jwk, "e");
  if (!n || !e || n->size() > kRsaBytesMax || e->size() > kRsaBytesMax) return nullptr;
  const auto modulus = number(*n);
  const auto exponent = number(*e);
  const BuilderPtr builder(OSSL_PARAM_BLD_new());
  if (!modulus || !exponent || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return nullptr;
  }
  return build("RSA", builder.get());
}

PublicKeyPtr ec_key(const json::object& jwk) {
  const auto x = bytes_member(jwk, "x");
  const auto y = bytes_member(jwk, "y");
  if (!x || !y || x->size() != kCoordinateBytes || y->size() != kCoordinateBytes) return nullptr;
  const auto point = cat('\x04', *x, *y);
  const BuilderPtr builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return build("EC", builder.get());
}

PublicKeyPtr ed25519_key(const json::object& jwk) {
  const auto x = bytes_member(jwk, "x");
  if (!x || x->size() != kEd25519Bytes) return nullptr;
  return PublicKeyPtr(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes(*x), x->size()));
}

// What the key's kty and crv are for here; nothing if they are for nothing.
std::optional<JwtAlgorithm> algorithm_of(const json::object& jwk) {
  const auto kty = text_member(jwk, "kty");
  const auto crv = text_member(jwk, "crv");
  if (kty == "oct") return JwtAlgorithm::hs256;
  if (kty == "RSA") return JwtAlgorithm::rs256;
  if (kty == "EC" && crv == "P-256") return JwtAlgorithm::es256;
  if (kty == "OKP" && crv == "Ed25519") return JwtAlgorithm::eddsa;
  return std::nullopt;
}

// Whether its `use`, `key_ops` and `alg` say that it is for something else.
bool is_for_others(const json::object& jwk) {
  if (jwk.contains("use") && text_member(jwk, "use") != "sig") return true;
  const auto* const operations = jwk.if_contains("key_ops");
  if (operations != nullptr && operations->is_array()) {
    const auto& list = operations->get_array();
    const bool verifies = std::any_of(list.begin(), list.end(), [](const json::value& operation) {
      return operation.is_string() && operation.get_string() == "verify";
    });
    if (!verifies) return true;
  }
  const auto alg = text_member(jwk, "alg");
  return alg && !jwt_algorithm(*alg);
}

std::optional<JwtKey> key_of(const json::object& jwk, JwtAlgorithm algorithm, std::string& error) {
  if (algorithm == JwtAlgorithm::hs256) {
    auto secret = bytes_member(jwk, "k");
    if (!secret) {
      error = "has no `k` of base64url without padding";
      return std::nullopt;
    }
    auto key = JwtKey::of_secret(*secret, error);
    OPENSSL_cleanse(secret->data(), secret->size());
    return key;
  }
  PublicKeyPtr key;
  if (algorithm == JwtAlgorithm::rs256) key = rsa_key(jwk);
  if (algorithm == JwtAlgorithm::es256) key = ec_key(jwk);
  if (algorithm == JwtAlgorithm::eddsa) key = ed25519_key(jwk);
  if (key == nullptr) {
    error = cat("has no sound ", algorithm == JwtAlgorithm::rs256 ? "`n` and `e`" : "`x` and `y`",
                ", as base64url without padding");
    return std::nullopt;
  }
  return JwtKey::of_public_key(std::move(key), error);
}

Outcome read_jwk(const json::value& value, std::vector<JwtKey>& keys, std::string& error) {
  const auto* const jwk = value.if_object();
  if (jwk == nullptr || !text_member(*jwk, "kty")) {
    error = "is no JWK: it has no `kty`";
    return Outcome::broken;
  }
  if (text_member(*jwk, "kty") != "oct" && jwk->contains("d")) {
    error = "is a private key, which has no place here; leave out `d` and the members beside it";
    return Outcome::broken;
  }
  const auto algorithm = algorithm_of(*jwk);
  if (!algorithm || is_for_others(*jwk)) return Outcome::skipped;
  if (jwk->contains("alg") && text_member(*jwk, "alg") != name_of(*algorithm)) {
    error = cat("has an `alg` that is not the one of its kind of key, ", name_of(*algorithm));
    return Outcome::broken;
  }
  if (jwk->contains("kid") && !text_member(*jwk, "kid")) {
    error = "has a `kid` that is no text";
    return Outcome::broken;
  }
  auto key = key_of(*jwk, *algorithm, error);
  if (!key) return Outcome::broken;
  key->set_kid(std::string(text_member(*jwk, "kid").value_or("")));
  keys.push_back(std::move(*key));
  return Outcome::taken;
}

}  // namespace

bool parse_jwk_set(std::string_view text, std::vector<JwtKey>& keys, std::string& error) {
  std::string fault;
  auto set = parse_strict_json(text, fault);
  if (!set) {
    error = cat("begins as a JWK Set does, but ", fault);
    return false;
  }
  if (!set->contains("keys") && set->contains("kty")) {
    json::object outer;
    outer["keys"] = json::array({json::value(std::move(*set))});
    set = std::move(outer);
  }
  const auto* const member = set->if_contains("keys");
  const auto* const list = member != nullptr ? member->if_array() : nullptr;
  if (list == nullptr || list->size() > kKeysMax) {
    error = cat("begins as a JWK Set does, but has no list `keys` of at most ", kKeysMax, " keys");
    return false;
  }
  std::size_t taken = 0;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto outcome = read_jwk((*list)[i], keys, error);
    if (outcome == Outcome::broken) {
      error = cat("key ", i + 1, " of the set ", error);
      return false;
    }
    if (outcome == Outcome::taken) ++taken;
  }
  if (taken == 0) error = "has no key in its set for HS256, RS256, ES256 or EdDSA";
  return taken > 0;
}

}  // namespace linnet::auth
