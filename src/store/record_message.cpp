// Records that hold a message.
#include "store/record.hpp"
#include "store/record_bytes.hpp"

namespace linnet::store {

namespace {

constexpr unsigned kExpiresFlag = 0x08;    // of a message
constexpr unsigned kElsewhereFlag = 0x08;  // of an outgoing record
constexpr unsigned kGroupFlag = 0x10;
constexpr std::size_t kWillFields = 9;

std::size_t outgoing_size(const PutOutgoing& put) noexcept {
  std::size_t size = 1 + varint_size(static_cast<std::uint32_t>(put.subscription_ids.size()));
  for (const std::uint32_t id : put.subscription_ids) {
    LINNET_ASSERT(id <= kVarintMax);
    size += varint_size(id);
  }
  return size + (put.group.empty() ? 0 : str_size(put.group));
}

void write_outgoing(RecordWriter& to, const PutOutgoing& put, unsigned flags) noexcept {
  if (!put.group.empty()) flags |= kGroupFlag;
  to.u8(static_cast<std::uint8_t>(flags | delivery_flags(put.qos, put.retain)));
  to.varint(static_cast<std::uint32_t>(put.subscription_ids.size()));
  for (const std::uint32_t id : put.subscription_ids) {
    to.varint(id);
  }
  if (!put.group.empty()) to.str(put.group);
}

}  // namespace

std::size_t message_size(const MessageView& message) noexcept {
  return 1 + (message.expires_at_ms == kNever ? 0 : 8) + str_size(message.topic) +
         str_size(message.publisher) + str_size(message.properties);
}

void write_message(RecordWriter& to, const MessageView& message, const StoreClock& clock) noexcept {
  const bool expires = message.expires_at_ms != kNever;
  const unsigned flags = delivery_flags(message.qos, message.retain);
  to.u8(static_cast<std::uint8_t>(flags | (expires ? kExpiresFlag : 0)));
  if (expires) to.u64(clock.to_stored(message.expires_at_ms));
  to.str(message.topic);
  to.str(message.publisher);
  to.str(message.properties);
}

bool read_message(RecordReader& from, const StoreClock& clock, MessageView& message) noexcept {
  const std::uint8_t flags = from.flags(kQosFlags | kRetainFlag | kExpiresFlag);
  const bool expires = (flags & kExpiresFlag) != 0;
  message.expires_at_ms = expires ? clock.to_monotonic(from.u64()) : kNever;
  // An expiry of 0 would be none, and has another form.
  if (expires && message.expires_at_ms == kNever) return false;
  message.topic = from.str();
  message.publisher = from.str();
  message.properties = from.str();
  message.payload = from.rest();
  return read_delivery_flags(flags, message.qos, message.retain) && from.done();
}

void write_record(std::string& out, std::string_view key, const PutWill& put,
                  const StoreClock& clock) {
  const MessageView message = put.message->view();
  RecordWriter to(out, kWillFields + message_size(message));
  to.u32(put.delay_s);
  to.u8(put.expiry_s ? 1 : 0);
  to.u32(put.expiry_s.value_or(0));
  write_message(to, message, clock);
  to.finish(key, message.payload);
}

bool read_record(std::string_view key, std::string_view record, const StoreClock& clock,
                 StoredWill& will) {
  RecordReader from(key, record);
  will.delay_s = from.u32();
  const bool has_expiry = from.flags(1) != 0;
  const std::uint32_t expiry_s = from.u32();
  will.expiry_s.reset();
  if (has_expiry) will.expiry_s = expiry_s;
  return (has_expiry || expiry_s == 0) && read_message(from, clock, will.message);
}

void write_record(std::string& out, std::string_view key, const PutOutgoing& put,
                  const MessageView& message, const StoreClock& clock) {
  RecordWriter to(out, outgoing_size(put) + message_size(message));
  write_outgoing(to, put, 0);
  write_message(to, message, clock);
  to.finish(key, message.payload);
}

void write_record(std::string& out, std::string_view key, const PutOutgoing& put,
                  const BodyReference& reference) {
  LINNET_ASSERT(reference.body != 0);
  RecordWriter to(out, outgoing_size(put) + 12);
  write_outgoing(to, put, kElsewhereFlag);
  to.u64(reference.body);
  to.u32(reference.bytes);
  to.finish(key, {});
}

bool read_record(std::string_view key, std::string_view record, const StoreClock& clock,
                 OutgoingRecord& outgoing) {
  RecordReader from(key, record);
  const std::uint8_t flags = from.flags(kQosFlags | kRetainFlag | kElsewhereFlag | kGroupFlag);
  const std::uint32_t count = from.varint();
  outgoing.subscription_ids.clear();
  for (std::uint32_t i = 0; i < count && from.ok(); ++i) {
    outgoing.subscription_ids.push_back(from.varint());
  }
  const bool has_group = (flags & kGroupFlag) != 0;
  outgoing.group = has_group ? from.str() : std::string_view();
  if (has_group && outgoing.group.empty()) return false;
  if (!read_delivery_flags(flags, outgoing.qos, outgoing.retain)) return false;
  if ((flags & kElsewhereFlag) != 0) {
    outgoing.reference.body = from.u64();
    outgoing.reference.bytes = from.u32();
    outgoing.message = {};
    return from.done() && outgoing.reference.body != 0;
  }
  if (!read_message(from, clock, outgoing.message)) return false;
  outgoing.reference = {0, static_cast<std::uint32_t>(owed_bytes(outgoing.message))};
  return true;
}

void write_retained_record(std::string& out, std::string_view key, const MessageView& message,
                           const StoreClock& clock) {
  const std::string_view topic = is_hashed(message.topic) ? message.topic : std::string_view();
  MessageView stored = message;
  stored.topic = {};
  RecordWriter to(out, str_size(topic) + message_size(stored));
  to.str(topic);
  write_message(to, stored, clock);
  to.finish(key, message.payload);
}

bool read_retained_record(std::string_view key, std::string_view record, const StoreClock& clock,
                          std::string& topic, MessageView& message) {
  RecordReader from(key, record);
  const std::string_view long_topic = from.str();
  if (!read_message(from, clock, message) || !message.topic.empty()) return false;
  if (key.size() > kNameMax) {
    message.topic = long_topic;
    return key.size() == kNameMax + kHashSize && is_hashed(long_topic);
  }
  topic_of_key(key, topic);
  message.topic = topic;
  return long_topic.empty();
}

void write_body_record(std::string& out, std::string_view key, std::uint32_t references,
                       const MessageView& message, const StoreClock& clock) {
  RecordWriter to(out, 4 + message_size(message));
  to.u32(references);
  write_message(to, message, clock);
  to.finish(key, message.payload);
}

bool read_record(std::string_view key, std::string_view record, const StoreClock& clock,
                 BodyRecord& body) {
  RecordReader from(key, record);
  body.references = from.u32();
  return read_message(from, clock, body.message);
}

}  // namespace linnet::store
