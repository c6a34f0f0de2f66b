// An entry of any bytes: what is taken is within its bounds, and is checked where that is quick.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/password_base64.hpp"
#include "auth/password_hash.hpp"
#include "base/assert.hpp"

namespace {

using namespace linnet::auth;

void judge(const Pbkdf2Hash& hash) {
  LINNET_ASSERT(hash.iterations >= 1 && hash.iterations <= 10'000'000);
  LINNET_ASSERT(!hash.salt.empty() && hash.salt.size() <= 128 && hash.hash.size() == 64);
  if (hash.iterations <= 100) static_cast<void>(verify(hash, "password"));
}

void judge(const Sha512Hash& hash) {
  LINNET_ASSERT(!hash.salt.empty() && hash.salt.size() <= 128 && hash.hash.size() == 64);
  static_cast<void>(verify(hash, "password"));
}

void judge(const Argon2Hash& hash) {
  LINNET_ASSERT(hash.memory_kib <= 256 << 10 && hash.lanes >= 1 && hash.lanes <= 16);
  LINNET_ASSERT(hash.passes >= 1 && hash.memory_kib >= 8 * hash.lanes);
  LINNET_ASSERT(hash.salt.size() >= 8 && hash.salt.size() <= 128);
  LINNET_ASSERT(hash.hash.size() >= 16 && hash.hash.size() <= 64);
  if (std::uint64_t{hash.memory_kib} * hash.passes <= 256) {
    static_cast<void>(verify(hash, "password"));
  }
}

void judge(const ScramKeys& keys) {
  LINNET_ASSERT(keys.iterations >= 4096 && keys.iterations <= 10'000'000);
  LINNET_ASSERT(!keys.salt.empty() && keys.salt.size() <= 128);
  LINNET_ASSERT(keys.stored_key.size() == 32 && keys.server_key.size() == 32);
}

void round_trip(std::string_view text, Padding padding) {
  const auto bytes = base64_decoded(text, padding);
  if (bytes) LINNET_ASSERT(base64_encoded(*bytes, padding) == text);
  LINNET_ASSERT(base64_decoded(base64_encoded(text, padding), padding) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  round_trip(text, Padding::full);
  round_trip(text, Padding::none);
  std::string error;
  const auto hash = parse_password_hash(text, error);
  LINNET_ASSERT(hash.has_value() == error.empty());
  if (!hash) return 0;
  LINNET_ASSERT(looks_hashed(text));
  static_cast<void>(is_weak(*hash));
  std::visit([](const auto& entry) { judge(entry); }, *hash);
  return 0;
}
