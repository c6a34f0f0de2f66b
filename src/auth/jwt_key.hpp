// One key that tokens are verified with, for one algorithm and no other (RFC 8725, section 3.1).
// Immutable once made; any thread may verify with it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// EVP_PKEY and EVP_MAC_CTX of OpenSSL
struct evp_pkey_st;
struct evp_mac_ctx_st;

namespace linnet::auth {

enum class JwtAlgorithm : std::uint8_t { hs256, rs256, es256, eddsa };

// In the order of the enumerators, as RFC 7518 and RFC 8037 write them.
inline constexpr auto kJwtAlgorithms =
    std::to_array<std::string_view>({"HS256", "RS256", "ES256", "EdDSA"});

[[nodiscard]] std::string_view name_of(JwtAlgorithm algorithm) noexcept;
/// Nothing for all others, `none` among them.
[[nodiscard]] std::optional<JwtAlgorithm> jwt_algorithm(std::string_view name) noexcept;

struct JwtKeyDelete {
  void operator()(evp_pkey_st* key) const noexcept;
  void operator()(evp_mac_ctx_st* mac) const noexcept;
};
using PublicKeyPtr = std::unique_ptr<evp_pkey_st, JwtKeyDelete>;

class JwtKey {
 public:
  static constexpr std::size_t kSecretBytesMin = 32;
  static constexpr int kRsaBitsMin = 2048;
  static constexpr int kRsaBitsMax = 8192;

  /// For HS256. Nothing if the secret is too short: `error` says so.
  [[nodiscard]] static std::optional<JwtKey> of_secret(std::string_view secret, std::string& error);
  /// For the algorithm that the key's type has here. Nothing if it has none, or is weak or unsound.
  [[nodiscard]] static std::optional<JwtKey> of_public_key(PublicKeyPtr key, std::string& error);

  [[nodiscard]] JwtAlgorithm algorithm() const noexcept { return algorithm_; }
  /// Empty: the key has none.
  [[nodiscard]] const std::string& kid() const noexcept { return kid_; }
  void set_kid(std::string kid) { kid_ = std::move(kid); }

  /// Whether `signature`, as it stands in a token, is this key's of `text`.
  [[nodiscard]] bool verify(std::string_view text, std::string_view signature) const;

 private:
  using MacPtr = std::unique_ptr<evp_mac_ctx_st, JwtKeyDelete>;

  JwtKey(JwtAlgorithm algorithm, MacPtr mac, PublicKeyPtr key) noexcept
      : algorithm_(algorithm), mac_(std::move(mac)), key_(std::move(key)) {}

  [[nodiscard]] bool verify_mac(std::string_view text, std::string_view signature) const;

  JwtAlgorithm algorithm_;
  std::string kid_;
  MacPtr mac_;        // HS256: knows its secret, and is copied for each token
  PublicKeyPtr key_;  // all others
};

}  // namespace linnet::auth
