#include "auth/password_derive.hpp"

#include <argon2.h>
#include <memory>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdexcept>

#include "base/cat.hpp"

namespace linnet::auth {
namespace {

const unsigned char* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) noexcept {
  return reinterpret_cast<unsigned char*>(text.data());
}

void expect(bool done, std::string_view what) {
  if (!done) throw std::runtime_error(cat(what, " failed; is there no memory left?"));
}

Secret pbkdf2(std::string_view password, std::string_view salt, std::uint32_t iterations,
              const EVP_MD* digest) {
  std::string derived(static_cast<std::size_t>(EVP_MD_get_size(digest)), '\0');
  const int done =
      PKCS5_PBKDF2_HMAC(password.empty() ? "" : password.data(), static_cast<int>(password.size()),
                        bytes_of(salt), static_cast<int>(salt.size()), static_cast<int>(iterations),
                        digest, static_cast<int>(derived.size()), bytes_of(derived));
  expect(done == 1, "PBKDF2");
  return Secret(std::move(derived));
}

Secret hmac_sha256(std::string_view key, std::string_view text) {
  std::string code(kSha256Bytes, '\0');
  unsigned size = 0;
  const auto* done = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text),
                          text.size(), bytes_of(code), &size);
  expect(done != nullptr && size == code.size(), "HMAC");
  return Secret(std::move(code));
}

}  // namespace

Secret pbkdf2_sha512(std::string_view password, std::string_view salt, std::uint32_t iterations) {
  return pbkdf2(password, salt, iterations, EVP_sha512());
}

Secret salted_sha512(std::string_view password, std::string_view salt) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  std::string digest(kSha512Bytes, '\0');
  const bool done = context && EVP_DigestInit_ex(context.get(), EVP_sha512(), nullptr) == 1 &&
                    EVP_DigestUpdate(context.get(), password.data(), password.size()) == 1 &&
                    EVP_DigestUpdate(context.get(), salt.data(), salt.size()) == 1 &&
                    EVP_DigestFinal_ex(context.get(), bytes_of(digest), nullptr) == 1;
  expect(done, "SHA-512");
  return Secret(std::move(digest));
}

Secret argon2id(std::string_view password, const Argon2Hash& hash) {
  std::string derived(hash.hash.size(), '\0');
  argon2_context context{};
  context.out = bytes_of(derived);
  context.outlen = static_cast<std::uint32_t>(derived.size());
  // The library reads both; it writes to the password only if a flag asks it to.
  context.pwd = const_cast<unsigned char*>(bytes_of(password));
  context.pwdlen = static_cast<std::uint32_t>(password.size());
  context.salt = const_cast<unsigned char*>(bytes_of(hash.salt));
  context.saltlen = static_cast<std::uint32_t>(hash.salt.size());
  context.t_cost = hash.passes;
  context.m_cost = hash.memory_kib;
  context.lanes = hash.lanes;
  context.threads = 1;
  context.version = ARGON2_VERSION_13;
  context.flags = ARGON2_DEFAULT_FLAGS;
  const int failed = argon2_ctx(&context, Argon2_id);
  if (failed != ARGON2_OK) {
    throw std::runtime_error(
        cat("Argon2id with m=", hash.memory_kib, " (KiB) failed: ", argon2_error_message(failed)));
  }
  return Secret(std::move(derived));
}

ScramKeys scram_keys(std::string_view password, std::string salt, std::uint32_t iterations) {
  const Secret salted = pbkdf2(password, salt, iterations, EVP_sha256());
  const Secret client_key = hmac_sha256(salted.view(), "Client Key");
  std::string stored_key(kSha256Bytes, '\0');
  const int done = EVP_Digest(client_key.view().data(), client_key.view().size(),
                              bytes_of(stored_key), nullptr, EVP_sha256(), nullptr);
  expect(done == 1, "SHA-256");
  std::string server_key(hmac_sha256(salted.view(), "Server Key").view());
  return {iterations, std::move(salt), std::move(stored_key), std::move(server_key)};
}

std::string random_salt(std::size_t bytes) {
  std::string salt(bytes, '\0');
  if (RAND_bytes(bytes_of(salt), static_cast<int>(bytes)) != 1) {
    throw std::runtime_error("the system gives no random numbers for a salt");
  }
  return salt;
}

}  // namespace linnet::auth
