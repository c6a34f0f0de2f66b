#include <algorithm>
#include <utility>

#include "base/cat.hpp"
#include "base/utf8.hpp"
#include "pubsub/format.hpp"
#include "pubsub/json_text.hpp"
#include "pubsub/properties.hpp"

namespace linnet::pubsub {

namespace {

using mqtt::Property;

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t byte = 0; byte < 3; ++byte) {
      const bool there = at + byte < bytes.size();
      group = group << 8 | (there ? static_cast<std::uint8_t>(bytes[at + byte]) : 0U);
    }
    const std::size_t digits = std::min<std::size_t>(bytes.size() - at, 3) + 1;
    for (std::size_t digit = 0; digit < 4; ++digit)
      text += digit < digits ? kDigits[group >> (18 - 6 * digit) & 63] : '=';
  }
  return text;
}

/// Its name, a colon and its value; the values of those that may stand more than once are joined by
/// the caller.
void append_value(std::string& out, const mqtt::PropertyValue& value) {
  switch (value.id) {
    case Property::content_type:
    case Property::response_topic: return append_json_string(out, value.text);
    case Property::correlation_data:
      // Any bytes: as text only where they are one.
      if (is_utf8(value.text)) return append_json_string(out, value.text);
      out += cat("{\"base64\":\"", base64(value.text), "\"}");
      return;
    default: out += cat(value.number);
  }
}

/// All values of one property, in brackets. A list of pairs keeps order and names that come twice.
void append_list(std::string& out, std::string_view raw, Property id) {
  mqtt::PropertyReader properties(raw, place_of(mqtt::PacketType::publish));
  out += cat('"', property_name(id), "\":[");
  bool first = true;
  while (properties.next()) {
    const auto& value = properties.value();
    if (value.id != id) continue;
    if (!std::exchange(first, false)) out += ',';
    if (id != Property::user_property) {
      out += cat(value.number);
      continue;
    }
    out += "{\"name\":";
    append_json_string(out, value.text);
    out += ",\"value\":";
    append_json_string(out, value.second);
    out += '}';
  }
  out += ']';
}

void append_properties(std::string& out, std::string_view raw) {
  bool has_user = false;
  bool has_subscription = false;
  std::string list;
  const auto separate = [&list] {
    if (!list.empty()) list += ',';
  };
  mqtt::PropertyReader properties(raw, place_of(mqtt::PacketType::publish));
  while (properties.next()) {
    const auto& value = properties.value();
    has_user = has_user || value.id == Property::user_property;
    has_subscription = has_subscription || value.id == Property::subscription_identifier;
    if (value.id == Property::user_property || value.id == Property::subscription_identifier)
      continue;
    separate();
    list += cat('"', property_name(value.id), "\":");
    append_value(list, value);
  }
  if (has_subscription) {
    separate();
    append_list(list, raw, Property::subscription_identifier);
  }
  if (has_user) {
    separate();
    append_list(list, raw, Property::user_property);
  }
  if (!list.empty()) out += cat(",\"properties\":{", list, '}');
}

}  // namespace

std::string message_json(const Arrival& arrival, JsonPayload payload) {
  const mqtt::ReceivedPublish& publish = arrival.publish;
  std::string out = cat("{\"tst\":\"", time_text(arrival.time), "\",\"topic\":");
  append_json_string(out, publish.topic);
  out += cat(",\"qos\":", static_cast<unsigned>(publish.qos),
             ",\"retain\":", publish.retain ? 1 : 0, ",\"payloadlen\":", publish.payload.size());
  if (publish.packet_id != 0) out += cat(",\"mid\":", publish.packet_id);
  append_properties(out, publish.properties);
  if (payload == JsonPayload::nested) {
    out += ",\"payload\":";
    append_minified(out, publish.payload);
  } else if (is_utf8(publish.payload)) {
    out += ",\"payload\":";
    append_json_string(out, publish.payload);
  } else {
    out += cat(",\"payload_base64\":\"", base64(publish.payload), '"');
  }
  return out + '}';
}

}  // namespace linnet::pubsub
