// Tokens for tests that PyJWT would not make: any header over any claims, with a right signature by
// samples::kSecret.
#pragma once

#include <cstdint>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "auth/jwt.hpp"
#include "base/cat.hpp"
#include "jwt_samples.hpp"

namespace linnet::auth::test {

inline constexpr std::uint64_t kNow_s = 1'800'000'000;
inline constexpr std::string_view kHeader = R"({"alg":"HS256"})";
inline constexpr std::string_view kClaims = R"({"sub":"anna"})";

inline std::string encode_base64url(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const auto size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                    reinterpret_cast<const unsigned char*>(bytes.data()),
                                    static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  while (text.ends_with('='))
    text.pop_back();
  for (auto& character : text) {
    if (character == '+') character = '-';
    if (character == '/') character = '_';
  }
  return text;
}

/// Of the two parts as they stand.
inline std::string sign(std::string_view parts) {
  unsigned char code[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), samples::kSecret.data(), static_cast<int>(samples::kSecret.size()),
       reinterpret_cast<const unsigned char*>(parts.data()), parts.size(), code, &size);
  return cat(parts, '.', encode_base64url({reinterpret_cast<const char*>(code), size}));
}

inline std::string make_token(std::string_view header, std::string_view claims) {
  return sign(cat(encode_base64url(header), '.', encode_base64url(claims)));
}

/// A Jwt with keys of these texts, each from a file of its own.
class Keys {
 public:
  explicit Keys(const std::vector<std::string_view>& texts) {
    for (const auto text : texts) {
      auto path = cat(testing::TempDir(), "linnet-jwt-", ::getpid(), '-', made_++);
      std::ofstream(path, std::ios::binary) << text;
      config.keys.push_back(std::move(path));
    }
  }
  ~Keys() {
    for (const auto& path : config.keys)
      ::unlink(path.c_str());
  }
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;

  [[nodiscard]] std::unique_ptr<const Jwt> load() {
    errors.clear();
    return Jwt::load(config, errors);
  }
  /// What a token is refused for, "" if it is not.
  [[nodiscard]] std::string fault_of(std::string_view token, std::string_view user_name = {}) {
    const auto jwt = load();
    if (jwt == nullptr) return cat("no keys: ", errors.empty() ? "no error" : errors.front());
    const auto verdict = jwt->verify(token, user_name, kNow_s);
    EXPECT_EQ(verdict.valid, verdict.fault.empty());
    EXPECT_EQ(verdict.valid, !verdict.identity.user_name.empty());
    return verdict.fault;
  }

  JwtConfig config;
  std::vector<std::string> errors;

 private:
  static inline int made_ = 0;
};

}  // namespace linnet::auth::test
