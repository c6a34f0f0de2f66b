// Records without a message.
#include "store/record.hpp"

#include <algorithm>

#include "store/record_bytes.hpp"

namespace linnet::store {

namespace {

constexpr std::uint8_t kConnectedFlag = 1;

}  // namespace

void write_record(std::string& out, std::string_view key, const Meta& meta) {
  RecordWriter to(out, 4 + 8 * 8);
  to.u32(meta.format);
  to.u64(meta.seeds.first);
  to.u64(meta.seeds.second);
  to.u64(meta.next_body);
  to.u64(meta.next_session);
  to.u64(meta.retained_messages);
  to.u64(meta.retained_bytes);
  to.u64(meta.clock.time_ms);
  to.u64(static_cast<std::uint64_t>(meta.clock.wall_ms));
  to.finish(key, {});
}

bool read_record(std::string_view key, std::string_view record, Meta& meta) {
  RecordReader from(key, record);
  meta = {};
  meta.format = from.u32();
  if (meta.format > kFormat) return true;  // 0 if the checksum was wrong
  meta.seeds.first = from.u64();
  meta.seeds.second = from.u64();
  meta.next_body = from.u64();
  meta.next_session = from.u64();
  meta.retained_messages = from.u64();
  meta.retained_bytes = from.u64();
  meta.clock.time_ms = from.u64();
  meta.clock.wall_ms = static_cast<std::int64_t>(from.u64());
  return from.done() && meta.format != 0;
}

void write_record(std::string& out, std::string_view key, const PutSession& put,
                  const StoreClock& clock) {
  LINNET_ASSERT(put.user_name.size() <= kUserNameMax);
  RecordWriter to(out, 2 + 4 + 8 + 8 + str_size(put.user_name), kSessionVersion);
  to.u8(put.protocol_version);
  to.u8(put.connected ? kConnectedFlag : 0);
  to.u32(put.expiry_s);
  to.u64(clock.to_stored(put.ends_at_ms));
  to.u64(clock.to_stored(put.will_due_ms));
  to.str(put.user_name);
  to.finish(key, put.client_id);
}

bool read_record(std::string_view key, std::string_view record, const StoreClock& clock,
                 SessionRecord& session) {
  RecordReader from(key, record, kSessionVersion);
  session.protocol_version = from.u8();
  session.connected = from.flags(kConnectedFlag) != 0;
  session.expiry_s = from.u32();
  session.ends_at_ms = clock.to_monotonic(from.u64());
  session.will_due_ms = clock.to_monotonic(from.u64());
  session.user_name = from.version() == 1 ? std::string_view() : from.str();
  session.client_id = from.rest();
  return from.done() && session.user_name.size() <= kUserNameMax;
}

void write_record(std::string& out, std::string_view key, const PutSubscription& put) {
  LINNET_ASSERT(put.subscription_id <= kVarintMax);
  RecordWriter to(out, 1 + varint_size(put.subscription_id));
  to.u8(put.options);
  to.varint(put.subscription_id);
  to.finish(key, is_hashed(put.filter) ? std::string_view(put.filter) : std::string_view());
}

bool read_record(std::string_view key, std::string_view record, StoredSubscription& subscription) {
  RecordReader from(key, record);
  subscription.options = from.u8();
  subscription.subscription_id = from.varint();
  subscription.filter = from.rest();
  SessionKey parsed;
  if (!from.done() || !parse_session_key(key, parsed)) return false;
  if (parsed.rest.size() > kNameMax) {
    return parsed.rest.size() == kNameMax + kHashSize && is_hashed(subscription.filter);
  }
  const bool in_key = subscription.filter.empty() && !parsed.rest.empty();
  subscription.filter = parsed.rest;
  return in_key;
}

void write_record(std::string& out, std::string_view key, const PutInflight& put) {
  RecordWriter to(out, 1 + 8);
  to.u8(static_cast<std::uint8_t>(put.state));
  to.u64(put.sequence);
  to.finish(key, {});
}

bool read_record(std::string_view key, std::string_view record, InflightRecord& inflight) {
  RecordReader from(key, record);
  const std::uint8_t state = from.u8();
  inflight.state = static_cast<OutgoingState>(state);
  inflight.sequence = from.u64();
  return from.done() && state <= static_cast<std::uint8_t>(OutgoingState::released);
}

void write_record(std::string& out, std::string_view key, const OwedTotals& owed) {
  RecordWriter to(out, 8 + 8);
  to.u64(owed.messages);
  to.u64(owed.bytes);
  to.finish(key, {});
}

bool read_record(std::string_view key, std::string_view record, OwedTotals& owed) {
  RecordReader from(key, record);
  owed.messages = from.u64();
  owed.bytes = from.u64();
  return from.done();
}

void write_empty_record(std::string& out, std::string_view key) {
  RecordWriter(out, 0).finish(key, {});
}

bool is_whole(std::string_view key, std::string_view record) noexcept {
  return RecordReader(key, record, std::max(kRecordVersion, kSessionVersion)).ok();
}

}  // namespace linnet::store
