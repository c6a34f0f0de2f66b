#include "store/keys.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/hash.hpp"

namespace linnet::store {

Key& Key::u8(std::uint8_t value) noexcept {
  LINNET_ASSERT(size_ < bytes_.size());
  bytes_[size_++] = static_cast<char>(value);
  return *this;
}

Key& Key::u16(std::uint16_t value) noexcept {
  return u8(static_cast<std::uint8_t>(value >> 8)).u8(static_cast<std::uint8_t>(value));
}

Key& Key::u64(std::uint64_t value) noexcept {
  LINNET_ASSERT(bytes_.size() - size_ >= sizeof value);
  for (unsigned shift = 64; shift > 0; shift -= 8) {
    bytes_[size_++] = static_cast<char>(value >> (shift - 8));
  }
  return *this;
}

Key& Key::raw(std::string_view bytes) noexcept {
  LINNET_ASSERT(bytes_.size() - size_ >= bytes.size());
  if (!bytes.empty()) std::memcpy(bytes_.data() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  return *this;
}

Key& Key::name(std::string_view name, const HashSeeds& seeds) noexcept {
  if (!is_hashed(name)) return raw(name);
  return raw(name.substr(0, kNameMax))
      .u64(hash64(name, seeds.first))
      .u64(hash64(name, seeds.second));
}

Key& Key::topic(std::string_view topic, const HashSeeds& seeds) noexcept {
  const std::size_t start = size_;
  name(topic, seeds);
  const auto end = bytes_.begin() + static_cast<std::ptrdiff_t>(start) +
                   static_cast<std::ptrdiff_t>(std::min(topic.size(), kNameMax));
  std::replace(bytes_.begin() + static_cast<std::ptrdiff_t>(start), end, '/', '\0');
  return *this;
}

Key session_key(SessionNumber session, Kind kind) noexcept {
  return Key().u64(session).u8(static_cast<std::uint8_t>(kind));
}

Key subscription_key(SessionNumber session, std::string_view filter,
                     const HashSeeds& seeds) noexcept {
  return session_key(session, Kind::subscription).name(filter, seeds);
}

Key received_key(SessionNumber session, std::uint16_t packet_id) noexcept {
  return session_key(session, Kind::received).u16(packet_id);
}

Key inflight_key(SessionNumber session, std::uint64_t number) noexcept {
  return session_key(session, Kind::inflight).u64(number);
}

Key outgoing_key(SessionNumber session, std::uint64_t sequence) noexcept {
  return session_key(session, Kind::outgoing).u64(sequence);
}

Key retained_key(std::string_view topic, const HashSeeds& seeds) noexcept {
  return Key().topic(topic, seeds);
}

Key number_key(std::uint64_t number) noexcept {
  return Key().u64(number);
}

void topic_of_key(std::string_view key, std::string& topic) {
  topic.assign(key);
  std::replace(topic.begin(), topic.end(), '\0', '/');
}

bool parse_session_key(std::string_view key, SessionKey& parsed) noexcept {
  constexpr std::size_t kHead = 9;
  if (key.size() < kHead) return false;
  const auto kind = static_cast<std::uint8_t>(key[kHead - 1]);
  if (kind > static_cast<std::uint8_t>(Kind::outgoing)) return false;
  parsed = {read_u64(key), static_cast<Kind>(kind), key.substr(kHead)};
  return true;
}

std::uint64_t read_u64(std::string_view bytes) noexcept {
  LINNET_ASSERT(bytes.size() >= sizeof(std::uint64_t));
  std::uint64_t value = 0;
  for (std::size_t at = 0; at < sizeof value; ++at) {
    value = (value << 8) | static_cast<unsigned char>(bytes[at]);
  }
  return value;
}

}  // namespace linnet::store
