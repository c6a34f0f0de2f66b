#include "auth/jwt_keys.hpp"

#include <algorithm>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/cat.hpp"
#include "tls/openssl_types.hpp"
#include "tls/read_secret.hpp"

namespace linnet::auth {

namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;
constexpr std::string_view kPemBegin = "-----BEGIN";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kWhiteSpace = " \t\r\n";

// One block of a PEM file, wiped when it goes.
struct PemBlock {
  PemBlock() = default;
  PemBlock(const PemBlock&) = delete;
  PemBlock& operator=(const PemBlock&) = delete;
  ~PemBlock() {
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  }

  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
};

std::string mend_of_block(std::string_view name) {
  if (name.find("PRIVATE KEY") != std::string_view::npos) {
    return "is a private key, which has no place here; write the public one with "
           "`openssl pkey -in FILE -pubout`";
  }
  if (name == "CERTIFICATE") {
    return "is a certificate; write its public key with `openssl x509 -in FILE -noout -pubkey`";
  }
  if (name == "RSA PUBLIC KEY") {
    return "is a public key in an old form; write it with `openssl rsa -RSAPublicKey_in -in FILE "
           "-pubout`";
  }
  return "is PEM of something else than a public key (\"BEGIN PUBLIC KEY\")";
}

PublicKeyPtr read_der(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = at + der.size();
  PublicKeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  return at == end ? std::move(key) : nullptr;
}

bool read_block(const PemBlock& block, std::vector<JwtKey>& keys, std::string& error) {
  if (std::string_view(block.name) != "PUBLIC KEY") {
    error = mend_of_block(block.name);
    return false;
  }
  auto public_key =
      read_der({reinterpret_cast<const char*>(block.data), static_cast<std::size_t>(block.size)});
  if (public_key == nullptr) {
    error = "is no public key that OpenSSL can read";
    return false;
  }
  auto key = JwtKey::of_public_key(std::move(public_key), error);
  if (key) keys.push_back(std::move(*key));
  return key.has_value();
}

bool parse_pem(std::string_view text, std::vector<JwtKey>& keys, std::string& error) {
  const auto bio = tls::read_bio(text);
  std::size_t blocks = 0;
  while (bio != nullptr) {
    PemBlock block;
    ERR_clear_error();
    if (PEM_read_bio(bio.get(), &block.name, &block.header, &block.data, &block.size) != 1) {
      const auto reason = ERR_GET_REASON(ERR_peek_last_error());
      ERR_clear_error();
      if (blocks > 0 && reason == PEM_R_NO_START_LINE) return true;
      break;
    }
    if (!read_block(block, keys, error)) return false;
    ++blocks;
  }
  error = "is damaged PEM";
  return false;
}

// Base64 of a public key without its two lines of PEM, as consoles show it.
bool is_bare_public_key(std::string_view text) {
  std::string packed;
  for (const char character : text) {
    if (kWhiteSpace.find(character) == std::string_view::npos) packed.push_back(character);
  }
  std::string der(packed.size(), '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(der.data()),
                                   reinterpret_cast<const unsigned char*>(packed.data()),
                                   static_cast<int>(packed.size()));
  ERR_clear_error();
  if (size <= 0) return false;
  // The padding counts as bytes there.
  const auto padding = packed.size() - std::min(packed.size(), packed.find_last_not_of('=') + 1);
  der.resize(static_cast<std::size_t>(size) - std::min(padding, static_cast<std::size_t>(size)));
  return read_der(der) != nullptr;
}

bool is_public_in_other_form(std::string_view text) {
  constexpr auto kOpenSsh = std::to_array<std::string_view>({"ssh-", "ecdsa-sha2-", "sk-"});
  const bool ssh = std::any_of(kOpenSsh.begin(), kOpenSsh.end(),
                               [text](std::string_view start) { return text.starts_with(start); });
  return ssh || text.starts_with("---- BEGIN") || read_der(text) != nullptr ||
         is_bare_public_key(text);
}

bool parse_secret(std::string_view text, std::vector<JwtKey>& keys, std::string& error) {
  if (is_public_in_other_form(text)) {
    error =
        "is a public key, and not in PEM, which begins with -----BEGIN PUBLIC KEY-----; `openssl "
        "pkey -in FILE -pubout` writes it from the private key";
    return false;
  }
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  auto key = JwtKey::of_secret(text, error);
  if (key) keys.push_back(std::move(*key));
  return key.has_value();
}

bool parse_any(std::string_view text, std::vector<JwtKey>& keys, std::string& error) {
  if (text.size() > kFileBytesMax) {
    error = cat("is larger than ", kFileBytesMax >> 20, " MiB");
    return false;
  }
  // Wherever it begins: PEM may have other lines before it.
  if (text.find(kPemBegin) != std::string_view::npos) return parse_pem(text, keys, error);
  auto content = text;
  if (content.starts_with(kByteOrderMark)) content.remove_prefix(kByteOrderMark.size());
  content.remove_prefix(std::min(content.find_first_not_of(kWhiteSpace), content.size()));
  if (content.starts_with('{') || content.starts_with('[')) {
    return parse_jwk_set(content, keys, error);
  }
  return parse_secret(text, keys, error);
}

}  // namespace

bool parse_jwt_keys(std::string_view text, const std::string& name, std::vector<JwtKey>& keys,
                    std::vector<std::string>& errors) {
  std::vector<JwtKey> found;
  std::string error;
  if (!parse_any(text, found, error)) {
    errors.push_back(cat(name, ": ", error));
    return false;
  }
  std::move(found.begin(), found.end(), std::back_inserter(keys));
  return true;
}

bool load_jwt_keys(const std::string& file, std::vector<JwtKey>& keys,
                   std::vector<std::string>& errors) {
  std::string error;
  const auto text = tls::read_secret(file, error);
  if (!text) {
    errors.push_back(error);
    return false;
  }
  return parse_jwt_keys(text->view(), file, keys, errors);
}

}  // namespace linnet::auth
