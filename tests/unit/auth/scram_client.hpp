// The client's side of SCRAM-SHA-256 for tests. It shares nothing with the server's side: hashes
// and base64 are OpenSSL's.
#pragma once

#include <array>
#include <cstdint>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <string>
#include <string_view>

namespace linnet::auth::test {

inline const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

inline std::string base64_of(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes_of(bytes),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

inline std::string bytes_of_base64(const std::string& text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), bytes_of(text),
                  static_cast<int>(text.size()));
  for (auto at = text.find('='); at < text.size(); ++at)
    bytes.pop_back();
  return bytes;
}

using Sha256 = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

inline std::string text_of(const Sha256& hash) {
  return {hash.begin(), hash.end()};
}

inline std::string hmac_of(std::string_view key, std::string_view text) {
  Sha256 hash{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(),
       hash.data(), &size);
  return text_of(hash);
}

inline std::string sha256_of(std::string_view text) {
  Sha256 hash{};
  SHA256(bytes_of(text), text.size(), hash.data());
  return text_of(hash);
}

inline std::string salted(std::string_view password, std::string_view salt, int iterations) {
  Sha256 hash{};
  PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), bytes_of(salt),
                    static_cast<int>(salt.size()), iterations, EVP_sha256(),
                    static_cast<int>(hash.size()), hash.data());
  return text_of(hash);
}

/// A line of a password file.
inline std::string scram_entry(std::string_view user, std::string_view password,
                               std::string_view salt, int iterations) {
  const auto base = salted(password, salt, iterations);
  return std::string(user) + ":SCRAM-SHA-256$" + std::to_string(iterations) + ':' +
         base64_of(salt) + '$' + base64_of(sha256_of(hmac_of(base, "Client Key"))) + ':' +
         base64_of(hmac_of(base, "Server Key")) + '\n';
}

class ScramClient {
 public:
  std::string user, password;
  std::string nonce = "rOprNGfwEbeRWgbNEkqO";
  std::string gs2_header = "n,,";
  std::string first_extensions, final_extensions;  // ",x=1"
  int least_iterations = 4096;

  std::string first() {
    bare_ = "n=" + escaped(user) + ",r=" + nonce + first_extensions;
    return gs2_header + bare_;
  }
  /// Empty if it does not like the server's message.
  std::string final(const std::string& server_first) {
    const auto salt_at = server_first.find(",s=");
    const auto count_at = server_first.find(",i=");
    if (!server_first.starts_with("r=" + nonce) || count_at == server_first.npos) return {};
    both_nonces = server_first.substr(2, salt_at - 2);
    salt = bytes_of_base64(server_first.substr(salt_at + 3, count_at - salt_at - 3));
    iterations = std::stoi(server_first.substr(count_at + 3));
    if (both_nonces == nonce || iterations < least_iterations) return {};
    return final_of(server_first, "c=" + base64_of(gs2_header) + ",r=" + both_nonces);
  }
  std::string final_of(const std::string& server_first, const std::string& start) {
    const auto without_proof = start + final_extensions;
    const auto message = bare_ + ',' + server_first + ',' + without_proof;
    const auto base = salted(password, salt, iterations);
    auto proof = hmac_of(base, "Client Key");
    const auto signature = hmac_of(sha256_of(proof), message);
    for (std::size_t i = 0; i < proof.size(); ++i) {
      proof[i] = static_cast<char>(proof[i] ^ signature[i]);
    }
    expected_ = "v=" + base64_of(hmac_of(hmac_of(base, "Server Key"), message));
    return without_proof + ",p=" + base64_of(proof);
  }
  [[nodiscard]] bool accepts(const std::string& server_final) const {
    return server_final == expected_;
  }

  std::string both_nonces, salt;
  int iterations = 0;

 private:
  static std::string escaped(std::string_view name) {
    std::string text;
    for (const char character : name) {
      if (character == ',') {
        text += "=2C";
      } else if (character == '=') {
        text += "=3D";
      } else {
        text += character;
      }
    }
    return text;
  }

  std::string bare_, expected_;
};

}  // namespace linnet::auth::test
