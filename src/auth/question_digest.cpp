#include "auth/question_digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdexcept>

#include "base/assert.hpp"

namespace linnet::auth {

struct QuestionDigest::Impl {
  struct Free {
    void operator()(EVP_MAC* algorithm) const noexcept { EVP_MAC_free(algorithm); }
    void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
  };

  std::unique_ptr<EVP_MAC, Free> mac{EVP_MAC_fetch(nullptr, "HMAC", nullptr)};
  std::unique_ptr<EVP_MAC_CTX, Free> keyed;
};

QuestionDigest::QuestionDigest() : impl_(std::make_unique<Impl>()) {
  impl_->keyed.reset(EVP_MAC_CTX_new(impl_->mac.get()));
  QuestionKey key{};
  char name[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string("digest", name, 0),
                                   OSSL_PARAM_construct_end()};
  const bool good = impl_->keyed != nullptr &&
                    RAND_bytes(key.data(), static_cast<int>(key.size())) == 1 &&
                    EVP_MAC_init(impl_->keyed.get(), key.data(), key.size(), parameters) == 1;
  OPENSSL_cleanse(key.data(), key.size());
  if (!good) throw std::runtime_error("OpenSSL has no HMAC-SHA-256 or no random numbers");
}

QuestionDigest::~QuestionDigest() = default;

QuestionKey QuestionDigest::of(std::uint64_t epoch, std::string_view question) {
  QuestionKey digest{};
  std::size_t size = 0;
  // A copy keeps the key; fetching the algorithm again would cost more than the digest.
  const std::unique_ptr<EVP_MAC_CTX, Impl::Free> context(EVP_MAC_CTX_dup(impl_->keyed.get()));
  const auto* bytes = reinterpret_cast<const unsigned char*>(question.data());
  const bool done = context != nullptr &&
                    EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(&epoch),
                                   sizeof epoch) == 1 &&
                    EVP_MAC_update(context.get(), bytes, question.size()) == 1 &&
                    EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) == 1;
  // A digest that is the same for all would let everybody in.
  LINNET_ASSERT(done && size == digest.size());
  return digest;
}

}  // namespace linnet::auth
