// The first byte picks what the record is read as (9: a session of version 1), the second is the
// key's length, the key and the record's content follow; version and checksum are made right, since
// nothing would get behind them otherwise. What can be read is written again, and must then stay as
// it is.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/assert.hpp"
#include "store/record.hpp"
#include "unit/store/manual_clock.hpp"
#include "unit/store/old_records.hpp"

namespace {

using namespace linnet;
using namespace linnet::store;

// The store's time and the monotonic one are the same.
const ManualClock kClock{1'000, 0};
const StoreClock kStoreClock{kClock, {1'000, 0}};

bool again(std::string_view key, std::string_view record, std::string& out, Meta meta) {
  if (!read_record(key, record, meta)) return false;
  // Of a newer format there is more that this one does not know.
  if (meta.format > kFormat) return false;
  write_record(out, key, meta);
  return true;
}

bool again(std::string_view key, std::string_view record, std::string& out, SessionRecord session) {
  if (!read_record(key, record, kStoreClock, session)) return false;
  write_record(out, key,
               PutSession{1, std::string(session.client_id), std::string(session.user_name),
                          session.expiry_s, session.protocol_version, session.connected,
                          session.ends_at_ms, session.will_due_ms},
               kStoreClock);
  return true;
}

/// Whether a Message can be made of it.
bool is_makeable(const MessageView& message) {
  return message.topic.size() <= 0xFFFF && message.publisher.size() <= 0xFFFF;
}

bool again(std::string_view key, std::string_view record, std::string& out, StoredWill will) {
  if (!read_record(key, record, kStoreClock, will) || !is_makeable(will.message)) return false;
  write_record(out, key, PutWill{1, Message::make(will.message), will.delay_s, will.expiry_s},
               kStoreClock);
  return true;
}

bool again(std::string_view key, std::string_view record, std::string& out,
           StoredSubscription subscription) {
  if (!read_record(key, record, subscription)) return false;
  LINNET_ASSERT(!subscription.filter.empty());
  write_record(out, key,
               PutSubscription{1, std::string(subscription.filter), subscription.subscription_id,
                               subscription.options});
  return true;
}

bool again(std::string_view key, std::string_view record, std::string& out,
           InflightRecord inflight) {
  if (!read_record(key, record, inflight)) return false;
  write_record(out, key, PutInflight{1, 1, inflight.sequence, inflight.state});
  return true;
}

bool again(std::string_view key, std::string_view record, std::string& out, OwedTotals owed) {
  if (!read_record(key, record, owed)) return false;
  write_record(out, key, owed);
  return true;
}

bool again(std::string_view key, std::string_view record, std::string& out,
           OutgoingRecord outgoing) {
  if (!read_record(key, record, kStoreClock, outgoing)) return false;
  PutOutgoing put;
  put.qos = outgoing.qos;
  put.retain = outgoing.retain;
  put.subscription_ids.assign(outgoing.subscription_ids.begin(), outgoing.subscription_ids.end());
  put.group = outgoing.group;
  if (outgoing.reference.body != 0) {
    write_record(out, key, put, outgoing.reference);
  } else {
    write_record(out, key, put, outgoing.message, kStoreClock);
  }
  return true;
}

bool again(std::string_view key, std::string_view record, std::string& out, BodyRecord body) {
  if (!read_record(key, record, kStoreClock, body)) return false;
  write_body_record(out, key, body.references, body.message, kStoreClock);
  return true;
}

bool again(std::string_view key, std::string_view record, std::string& out, MessageView retained) {
  std::string topic;
  if (!read_retained_record(key, record, kStoreClock, topic, retained)) return false;
  write_retained_record(out, key, retained, kStoreClock);
  return true;
}

template <class What>
void check(std::string_view key, std::string_view record) {
  std::string first;
  if (!again(key, record, first, What{})) return;
  LINNET_ASSERT(is_whole(key, record));
  // What an older version has written gains a field, an empty one.
  const std::size_t gained = record[4] != first[4] ? 1 : 0;
  LINNET_ASSERT(first.size() == record.size() + gained);
  std::string second;
  LINNET_ASSERT(again(key, first, second, What{}));
  LINNET_ASSERT(first == second);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto key = rest.substr(0, data[1] * 2U);
  const unsigned kind = data[0] % 10U;
  const std::string whole =
      sealed_record(key, kind == 1 ? kSessionVersion : kRecordVersion, rest.substr(key.size()));
  // Without a byte behind it, so that a read too far is seen.
  const std::vector<char> exact(whole.begin(), whole.end());
  const std::string_view record(exact.data(), exact.size());
  switch (kind) {
    case 0: check<Meta>(key, record); break;
    case 1:
    case 9: check<SessionRecord>(key, record); break;
    case 2: check<StoredWill>(key, record); break;
    case 3: check<StoredSubscription>(key, record); break;
    case 4: check<InflightRecord>(key, record); break;
    case 5: check<OwedTotals>(key, record); break;
    case 6: check<OutgoingRecord>(key, record); break;
    case 7: check<BodyRecord>(key, record); break;
    default: check<MessageView>(key, record); break;
  }
  return 0;
}
