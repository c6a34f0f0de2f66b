#include "auth/question_digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "auth/random_bytes.hpp"
#include "base/assert.hpp"

namespace linnet::auth {

struct QuestionDigest::Impl {
  struct Free {
    void operator()(EVP_MAC* algorithm) const noexcept { EVP_MAC_free(algorithm); }
    void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
  };

  Impl() : keyed(EVP_MAC_CTX_new(mac.get())) {
    std::string key = random_bytes(sizeof(QuestionKey));
    char name[] = "SHA256";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string("digest", name, 0),
                                     OSSL_PARAM_construct_end()};
    const bool good = keyed != nullptr &&
                      EVP_MAC_init(keyed.get(), reinterpret_cast<const unsigned char*>(key.data()),
                                   key.size(), parameters) == 1;
    OPENSSL_cleanse(key.data(), key.size());
    LINNET_ASSERT(good);
  }

  std::unique_ptr<EVP_MAC, Free> mac{EVP_MAC_fetch(nullptr, "HMAC", nullptr)};
  std::unique_ptr<EVP_MAC_CTX, Free> keyed;
};

QuestionDigest::QuestionDigest() = default;
QuestionDigest::~QuestionDigest() = default;

QuestionKey QuestionDigest::of(std::uint64_t epoch, std::string_view question) {
  // Not before there is a question: most brokers have none, and need no OpenSSL for it.
  if (!impl_) impl_ = std::make_unique<Impl>();
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
