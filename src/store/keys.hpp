// The keys of the store's tables: bytes in an order that the store relies on. LMDB compares them
// byte by byte and allows 511 bytes.
//
// Table `sessions`: all that belongs to one session stands together.
//   session (8 bytes, big endian)  kind (1 byte)  rest
//     0 session         -                                     the session itself
//     1 will            -
//     2 subscription    name key of the filter
//     3 received        packet identifier (2, big endian)
//     4 inflight        number (8, big endian): the in-flight window in the order of sending
//     5 owed            -                                     how many messages and bytes
//     6 outgoing        sequence (8, big endian)
// Table `retained`: name key of the topic, in which each `/` is a zero byte, so that a topic and
// all below it stand together.
// Table `bodies`: body (8, big endian): a message that several sessions are owed; the same and a
// zero byte: how many still are.
// Table `expiries`: time (8, big endian), key in `retained`.
// Table `doomed`: session (8, big endian): an ended session of which something is left.
//
// A name key is the name, if it has at most kNameMax bytes; else its first kNameMax bytes and a
// 128-bit hash of all of it under seeds that the store drew when it was made. A record under a
// hashed key holds the whole name, which is compared on reading.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "store/store.hpp"

namespace linnet::store {

inline constexpr std::size_t kNameMax = 464;
inline constexpr std::size_t kHashSize = 16;

struct HashSeeds {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

enum class Kind : std::uint8_t { session, will, subscription, received, inflight, owed, outgoing };

/// A key in the making: a value with room for the longest.
class Key {
 public:
  [[nodiscard]] std::string_view bytes() const noexcept { return {bytes_.data(), size_}; }

  Key& u8(std::uint8_t value) noexcept;
  Key& u16(std::uint16_t value) noexcept;
  Key& u64(std::uint64_t value) noexcept;
  Key& raw(std::string_view bytes) noexcept;
  /// A name key.
  Key& name(std::string_view name, const HashSeeds& seeds) noexcept;
  /// A name key of a topic name, with zero bytes for `/`.
  Key& topic(std::string_view topic, const HashSeeds& seeds) noexcept;

 private:
  std::array<char, 511> bytes_;
  std::size_t size_ = 0;
};

[[nodiscard]] Key session_key(SessionNumber session, Kind kind) noexcept;
[[nodiscard]] Key subscription_key(SessionNumber session, std::string_view filter,
                                   const HashSeeds& seeds) noexcept;
[[nodiscard]] Key received_key(SessionNumber session, std::uint16_t packet_id) noexcept;
[[nodiscard]] Key inflight_key(SessionNumber session, std::uint64_t number) noexcept;
[[nodiscard]] Key outgoing_key(SessionNumber session, std::uint64_t sequence) noexcept;
[[nodiscard]] Key retained_key(std::string_view topic, const HashSeeds& seeds) noexcept;
[[nodiscard]] Key number_key(std::uint64_t number) noexcept;

/// Whether a name is longer than its key can hold: its record then holds it.
[[nodiscard]] constexpr bool is_hashed(std::string_view name) noexcept {
  return name.size() > kNameMax;
}
/// The topic of a key in `retained` that is not hashed.
void topic_of_key(std::string_view key, std::string& topic);

/// What a key in `sessions` says. `rest` is what follows the kind.
struct SessionKey {
  SessionNumber session = 0;
  Kind kind = Kind::session;
  std::string_view rest;
};
/// False if it is not such a key.
[[nodiscard]] bool parse_session_key(std::string_view key, SessionKey& parsed) noexcept;
[[nodiscard]] std::uint64_t read_u64(std::string_view bytes) noexcept;

}  // namespace linnet::store
