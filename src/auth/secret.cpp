#include "auth/secret.hpp"

#include <openssl/crypto.h>

namespace linnet::auth {

bool equal_in_constant_time(std::string_view presented, std::string_view expected) noexcept {
  const bool same_length = presented.size() == expected.size();
  // A text of another length is compared with itself, which takes as long.
  const std::string_view other = same_length ? expected : presented;
  const bool same = CRYPTO_memcmp(presented.data(), other.data(), presented.size()) == 0;
  return same && same_length;
}

void wipe(std::string& text) noexcept {
  // A text that was longer once, or has been moved away, leaves bytes behind its end. There is room
  // for this length, so that nothing is allocated.
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

void Secret::append(std::string_view more) {
  if (text_.size() + more.size() > text_.capacity()) {
    std::string larger;
    larger.reserve(2 * text_.capacity() + more.size());
    larger = text_;
    wipe(text_);
    text_.swap(larger);
  }
  text_.append(more);
}

}  // namespace linnet::auth
