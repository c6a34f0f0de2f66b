// The records: what stands under a key. Pure functions over bytes; nothing here knows LMDB.
//
//   record   = crc (4)  version (1)  content
//   crc      CRC-32C, little endian, over the key, the version and the content: a record under a
//            wrong key is as damaged as one with a wrong byte
//   version  kRecordVersion, of a session kSessionVersion
// Integers of several bytes are little endian; `varint` is the Variable Byte Integer of MQTT, `str`
// a length (varint) and bytes, `time` (8) ms of the store's own time (store_clock.hpp), 0: never.
//
//   session      = protocol_version (1)  flags (1: connected)  expiry_s (4)  ends_at (time)
//                  will_due (time)  user_name (str; not in version 1)  client_id (rest)
//   will         = delay_s (4)  flags (1: has expiry)  expiry_s (4)  message
//   subscription = options (1)  id (varint)  filter (rest; only under a hashed key)
//   received     = (nothing)
//   inflight     = state (1)  sequence (8)
//   owed         = messages (8)  bytes (8)
//   outgoing     = flags (1: qos 0-1, retain 2, body elsewhere 3, group 4)  count (varint)
//                  ids (varint each)  group (str; only with its flag)
//                  message, or body (8)  bytes (4: owed_bytes of the message)
//   retained     = topic (str; empty unless the key is hashed)  message (its topic empty)
//   body         = references (4)  message
//   message      = flags (1: qos 0-1, retain 2, expires 3)  expires_at (time; only with its flag)
//                  topic (str)  publisher (str)  properties (str)  payload (rest)
//   meta         = format (4)  seeds (8, 8)  next_body (8)  next_session (8)
//                  retained_messages (8)  retained_bytes (8)  time (8)  wall (8)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/keys.hpp"
#include "store/store.hpp"
#include "store/store_clock.hpp"

namespace linnet::store {

inline constexpr std::uint8_t kRecordVersion = 1;
inline constexpr std::uint8_t kSessionVersion = 2;
/// MQTT's own limit, in bytes.
inline constexpr std::size_t kUserNameMax = 65'535;

/// What a store may hold. An older Linnet refuses a format that it does not know, a newer one reads
/// the older ones; what it writes is of its own format, and the first commit says so.
///   1  the first one
///   2  sessions belong to users: session records of version 2
inline constexpr std::uint32_t kFormat = 2;

/// The one record of the whole store, under kMetaKey in LMDB's main table.
struct Meta {
  std::uint32_t format = kFormat;
  HashSeeds seeds;
  std::uint64_t next_body = 1;
  std::uint64_t next_session = 1;
  std::uint64_t retained_messages = 0;
  std::uint64_t retained_bytes = 0;
  ClockMark clock;  // at the last commit
};
inline constexpr std::string_view kMetaKey = "linnet";

/// Writes records; `out` is replaced. `key` is the whole key.
void write_record(std::string& out, std::string_view key, const Meta& meta);
void write_record(std::string& out, std::string_view key, const PutSession& put,
                  const StoreClock& clock);
void write_record(std::string& out, std::string_view key, const PutWill& put,
                  const StoreClock& clock);
void write_record(std::string& out, std::string_view key, const PutSubscription& put);
void write_record(std::string& out, std::string_view key, const PutInflight& put);
/// A record without content.
void write_empty_record(std::string& out, std::string_view key);

struct OwedTotals {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};
void write_record(std::string& out, std::string_view key, const OwedTotals& owed);

/// Where the message of an outgoing record is: inline, or in `bodies`.
struct BodyReference {
  std::uint64_t body = 0;   // 0: inline
  std::uint32_t bytes = 0;  // owed_bytes() of the message, wherever it is
};
/// With the message inline.
void write_record(std::string& out, std::string_view key, const PutOutgoing& put,
                  const MessageView& message, const StoreClock& clock);
/// With the message in `bodies`.
void write_record(std::string& out, std::string_view key, const PutOutgoing& put,
                  const BodyReference& reference);
void write_retained_record(std::string& out, std::string_view key, const MessageView& message,
                           const StoreClock& clock);
void write_body_record(std::string& out, std::string_view key, std::uint32_t references,
                       const MessageView& message, const StoreClock& clock);

/// What readers get: views into the record. Each returns false if the record is damaged: wrong
/// checksum, unknown version, or content that does not parse.
struct SessionRecord {
  std::string_view client_id;
  std::string_view user_name;  // empty in version 1, which knew no owner
  std::uint32_t expiry_s = 0;
  std::uint8_t protocol_version = 0;
  bool connected = false;
  std::uint64_t ends_at_ms = kNever;  // of the monotonic clock, like all times below
  std::uint64_t will_due_ms = kNever;
};
struct OutgoingRecord {
  Qos qos = Qos::at_most_once;
  bool retain = false;
  boost::container::small_vector<std::uint32_t, 4> subscription_ids;
  std::string_view group;
  BodyReference reference;
  MessageView message;  // with an inline body
};
struct BodyRecord {
  std::uint32_t references = 0;
  MessageView message;
};
struct InflightRecord {
  OutgoingState state = OutgoingState::sent;
  std::uint64_t sequence = 0;
};

/// Of a newer format only `format` is read.
[[nodiscard]] bool read_record(std::string_view key, std::string_view record, Meta& meta);
[[nodiscard]] bool read_record(std::string_view key, std::string_view record,
                               const StoreClock& clock, SessionRecord& session);
[[nodiscard]] bool read_record(std::string_view key, std::string_view record,
                               const StoreClock& clock, StoredWill& will);
/// `filter` is a view into the key, or into the record if the key is hashed.
[[nodiscard]] bool read_record(std::string_view key, std::string_view record,
                               StoredSubscription& subscription);
[[nodiscard]] bool read_record(std::string_view key, std::string_view record,
                               InflightRecord& inflight);
[[nodiscard]] bool read_record(std::string_view key, std::string_view record, OwedTotals& owed);
[[nodiscard]] bool read_record(std::string_view key, std::string_view record,
                               const StoreClock& clock, OutgoingRecord& outgoing);
/// `topic` is scratch memory that the message's topic may point into.
[[nodiscard]] bool read_retained_record(std::string_view key, std::string_view record,
                                        const StoreClock& clock, std::string& topic,
                                        MessageView& message);
[[nodiscard]] bool read_record(std::string_view key, std::string_view record,
                               const StoreClock& clock, BodyRecord& body);
/// For records without content, and for whoever only wants to know that a record is whole.
[[nodiscard]] bool is_whole(std::string_view key, std::string_view record) noexcept;

}  // namespace linnet::store
