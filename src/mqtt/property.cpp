#include "mqtt/property.hpp"

#include <array>

#include "base/topic.hpp"
#include "base/utf8.hpp"

namespace linnet::mqtt {
namespace {

using enum PropertyType;
using enum PropertyRange;
using P = Property;

constexpr auto kConnect = place_of(PacketType::connect);
constexpr auto kConnack = place_of(PacketType::connack);
constexpr auto kPublish = place_of(PacketType::publish);
constexpr auto kSubscribe = place_of(PacketType::subscribe);
constexpr auto kDisconnect = place_of(PacketType::disconnect);
constexpr auto kAuth = place_of(PacketType::auth);
constexpr auto kMessage = kPublish | kWillPlace;
constexpr auto kAnswers = kConnack | kDisconnect | kAuth | place_of(PacketType::puback) |
                          place_of(PacketType::pubrec) | place_of(PacketType::pubrel) |
                          place_of(PacketType::pubcomp) | place_of(PacketType::suback) |
                          place_of(PacketType::unsuback);
constexpr auto kEverywhere =
    kAnswers | kConnect | kMessage | kSubscribe | place_of(PacketType::unsubscribe);

// MQTT 5.0, table 2-4, and the rules of chapter 3.
// clang-format off
constexpr std::array<PropertyRule, 27> kRules{{
  {P::payload_format_indicator, one_byte, zero_or_one, kMessage, 0, true,
   "Payload Format Indicator"},
  {P::message_expiry_interval, four_bytes, any, kMessage, 0, false, "Message Expiry Interval"},
  {P::content_type, string, any, kMessage, 0, true, "Content Type"},
  {P::response_topic, string, topic_name, kMessage, 0, true, "Response Topic"},
  {P::correlation_data, binary, any, kMessage, 0, true, "Correlation Data"},
  {P::subscription_identifier, varint, not_zero, kPublish | kSubscribe, kPublish, false,
   "Subscription Identifier"},
  {P::session_expiry_interval, four_bytes, any, kConnect | kConnack | kDisconnect, 0, false,
   "Session Expiry Interval"},
  {P::assigned_client_identifier, string, any, kConnack, 0, false, "Assigned Client Identifier"},
  {P::server_keep_alive, two_bytes, any, kConnack, 0, false, "Server Keep Alive"},
  {P::authentication_method, string, any, kConnect | kConnack | kAuth, 0, false,
   "Authentication Method"},
  {P::authentication_data, binary, any, kConnect | kConnack | kAuth, 0, false,
   "Authentication Data"},
  {P::request_problem_information, one_byte, zero_or_one, kConnect, 0, false,
   "Request Problem Information"},
  {P::will_delay_interval, four_bytes, any, kWillPlace, 0, false, "Will Delay Interval"},
  {P::request_response_information, one_byte, zero_or_one, kConnect, 0, false,
   "Request Response Information"},
  {P::response_information, string, any, kConnack, 0, false, "Response Information"},
  {P::server_reference, string, any, kConnack | kDisconnect, 0, false, "Server Reference"},
  {P::reason_string, string, any, kAnswers, 0, false, "Reason String"},
  {P::receive_maximum, two_bytes, not_zero, kConnect | kConnack, 0, false, "Receive Maximum"},
  {P::topic_alias_maximum, two_bytes, any, kConnect | kConnack, 0, false, "Topic Alias Maximum"},
  {P::topic_alias, two_bytes, not_zero, kPublish, 0, false, "Topic Alias"},
  {P::maximum_qos, one_byte, zero_or_one, kConnack, 0, false, "Maximum QoS"},
  {P::retain_available, one_byte, zero_or_one, kConnack, 0, false, "Retain Available"},
  {P::user_property, string_pair, any, kEverywhere, kEverywhere, true, "User Property"},
  {P::maximum_packet_size, four_bytes, not_zero, kConnect | kConnack, 0, false,
   "Maximum Packet Size"},
  {P::wildcard_subscription_available, one_byte, zero_or_one, kConnack, 0, false,
   "Wildcard Subscription Available"},
  {P::subscription_identifier_available, one_byte, zero_or_one, kConnack, 0, false,
   "Subscription Identifier Available"},
  {P::shared_subscription_available, one_byte, zero_or_one, kConnack, 0, false,
   "Shared Subscription Available"},
}};
// clang-format on

constexpr std::size_t kIdEnd = 0x2B;
constexpr std::uint8_t kNoRule = 0xFF;

constexpr std::array<std::uint8_t, kIdEnd> kRowOf = [] {
  std::array<std::uint8_t, kIdEnd> rows{};
  rows.fill(kNoRule);
  for (std::size_t row = 0; row < kRules.size(); ++row) {
    rows[static_cast<std::size_t>(kRules[row].id)] = static_cast<std::uint8_t>(row);
  }
  return rows;
}();

// A ProtocolError holds a literal, and a sentence that names the property helps its reader most: so
// all sentences are joined at compile time.
constexpr std::size_t kTextSize = 96;
using Text = std::array<char, kTextSize>;

struct Texts {
  Text misplaced;
  Text twice;
  Text cut_off;
  Text not_utf8;
  Text out_of_range;
};

constexpr Text join(std::string_view name, std::string_view tail) {
  Text text{};
  std::size_t at = 0;
  for (const char c : name)
    text[at++] = c;
  for (const char c : tail)
    text[at++] = c;
  text.at(at) = '\0';
  return text;
}

constexpr std::string_view out_of_range_tail(PropertyRange range) {
  switch (range) {
    case any: return "";
    case zero_or_one: return " is neither 0 nor 1; send one of them";
    case not_zero: return " is 0; leave it out or send 1 or more";
    case topic_name: return " is empty or holds a wildcard; send a topic name";
  }
  return "";
}

constexpr std::array<Texts, kRules.size()> kTexts = [] {
  std::array<Texts, kRules.size()> texts{};
  for (std::size_t row = 0; row < kRules.size(); ++row) {
    const auto& rule = kRules[row];
    texts[row].misplaced = join(rule.name, " does not belong in this packet; leave it out");
    texts[row].twice = join(rule.name, " stands twice; send it once");
    texts[row].cut_off = join(rule.name, " reaches beyond the properties; mend its length");
    texts[row].not_utf8 = join(rule.name, " is not UTF-8 without U+0000; mend the text");
    texts[row].out_of_range = join(rule.name, out_of_range_tail(rule.range));
  }
  return texts;
}();

bool in_range(const PropertyRule& rule, const PropertyValue& value) noexcept {
  switch (rule.range) {
    case any: return true;
    case zero_or_one: return value.number <= 1;
    case not_zero: return value.number != 0;
    case topic_name: return !value.text.empty() && !has_wildcard(value.text);
  }
  return true;
}

bool is_text(const PropertyRule& rule, const PropertyValue& value) noexcept {
  if (rule.type == binary) return true;
  return is_mqtt_utf8(value.text) && is_mqtt_utf8(value.second);
}

}  // namespace

std::span<const PropertyRule> property_rules() noexcept {
  return kRules;
}

bool PropertyReader::refuse(ReasonCode reason, const char* text) noexcept {
  in_.fail();
  error_ = ProtocolError{reason, text};
  return false;
}

void PropertyReader::read_value(const PropertyRule& rule) noexcept {
  switch (rule.type) {
    case one_byte: value_.number = in_.u8(); break;
    case two_bytes: value_.number = in_.u16(); break;
    case four_bytes: value_.number = in_.u32(); break;
    case varint: value_.number = in_.varint(); break;
    case binary:
    case string: value_.text = in_.string(); break;
    case string_pair:
      value_.text = in_.string();
      value_.second = in_.string();
      break;
  }
}

bool PropertyReader::next() noexcept {
  if (in_.empty()) return false;
  const auto before = in_.rest();
  const auto id = in_.varint();
  const auto row = in_.ok() && id < kIdEnd ? kRowOf[id] : kNoRule;
  if (row == kNoRule) {
    return refuse(ReasonCode::malformed_packet,
                  "a property has an unknown identifier; use those of MQTT 5.0, section 2.2.2.2");
  }
  const auto& rule = kRules[row];
  const auto& texts = kTexts[row];
  if (!(rule.places & place_)) {
    return refuse(ReasonCode::malformed_packet, texts.misplaced.data());
  }
  const auto bit = std::uint64_t{1} << id;
  if ((seen_ & bit) && !(rule.repeats & place_)) {
    return refuse(ReasonCode::protocol_error, texts.twice.data());
  }
  seen_ |= bit;
  value_ = {.id = rule.id, .forwarded = rule.forwarded};
  read_value(rule);
  if (!in_.ok()) return refuse(ReasonCode::malformed_packet, texts.cut_off.data());
  if (!is_text(rule, value_)) return refuse(ReasonCode::malformed_packet, texts.not_utf8.data());
  if (!in_range(rule, value_)) {
    const bool alias = rule.id == Property::topic_alias;
    return refuse(alias ? ReasonCode::topic_alias_invalid : ReasonCode::protocol_error,
                  texts.out_of_range.data());
  }
  value_.raw = before.substr(0, before.size() - in_.size());
  return true;
}

std::string_view take_properties(Reader& in) noexcept {
  return in.take(in.varint());
}

std::optional<ProtocolError> check_properties(std::string_view raw, PropertyPlaces place) noexcept {
  PropertyReader properties(raw, place);
  while (properties.next())
    continue;
  return properties.error();
}

void strip_hop_properties(std::string_view raw, std::string& out) {
  PropertyReader properties(raw, kMessage);
  while (properties.next()) {
    if (properties.value().forwarded) out.append(properties.value().raw);
  }
}

}  // namespace linnet::mqtt
