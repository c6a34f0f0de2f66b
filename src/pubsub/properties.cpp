#include "pubsub/properties.hpp"

#include <algorithm>
#include <charconv>

#include "base/cat.hpp"
#include "mqtt/property_writer.hpp"

namespace linnet::pubsub {

namespace {

using mqtt::PacketType;
using mqtt::Property;
using mqtt::PropertyRule;
using mqtt::PropertyType;

constexpr std::array<std::string_view, kPropertyPackets> kPackets{
    "connect", "publish", "subscribe", "unsubscribe", "disconnect", "will"};
constexpr std::array<mqtt::PropertyPlaces, kPropertyPackets> kPlaces{
    place_of(PacketType::connect),    place_of(PacketType::publish),
    place_of(PacketType::subscribe),  place_of(PacketType::unsubscribe),
    place_of(PacketType::disconnect), mqtt::kWillPlace};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

const PropertyRule* find_rule(std::string_view name) {
  for (const PropertyRule& rule : mqtt::property_rules()) {
    if (property_name(rule.id) == name) return &rule;
  }
  return nullptr;
}

std::string names_of(mqtt::PropertyPlaces place) {
  std::string names;
  for (const PropertyRule& rule : mqtt::property_rules()) {
    if ((rule.places & place) != 0)
      names.append(names.empty() ? "" : ", ").append(property_name(rule.id));
  }
  return names;
}

/// The largest number of a type; 0: it has none.
std::uint32_t number_max(PropertyType type) noexcept {
  switch (type) {
    case PropertyType::one_byte: return 0xFF;
    case PropertyType::two_bytes: return 0xFFFF;
    case PropertyType::four_bytes: return 0xFFFF'FFFF;
    case PropertyType::varint: return 0x0FFF'FFFF;
    default: return 0;
  }
}

void write_number(mqtt::PropertyWriter& out, const PropertyRule& rule, std::uint32_t number) {
  switch (rule.type) {
    case PropertyType::one_byte: return out.u8(rule.id, static_cast<std::uint8_t>(number));
    case PropertyType::two_bytes: return out.u16(rule.id, static_cast<std::uint16_t>(number));
    case PropertyType::four_bytes: return out.u32(rule.id, number);
    default: return out.varint(rule.id, number);
  }
}

/// What is wrong with the value; empty: it has been written.
std::string write_value(mqtt::PropertyWriter& out, const PropertyRule& rule,
                        const std::string& value) {
  const std::uint32_t max = number_max(rule.type);
  if (max == 0) {
    if (value.size() > 65'535) return "has at most 65,535 bytes";
    out.string(rule.id, value);
    return {};
  }
  std::uint32_t number = 0;
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (failure != std::errc{} || end != value.data() + value.size() || number > max)
    return cat("is a number from 0 to ", max, ", and not '", value, "'");
  write_number(out, rule, number);
  return {};
}

/// One option -D at the head of `texts`, which lose it.
class Parser {
 public:
  Parser(std::span<const std::string> texts, PacketProperties& properties)
      : texts_(texts), properties_(properties) {}

  /// False after the last one, and at the first error.
  [[nodiscard]] bool next() {
    if (texts_.empty()) return false;
    const std::string packet = lower(take());
    const auto found = std::find(kPackets.begin(), kPackets.end(), packet);
    if (found == kPackets.end())
      return refuse(cat("'", packet,
                        "' is no packet that can be given properties; there are "
                        "connect, publish, subscribe, unsubscribe, disconnect and will"));
    const auto at = static_cast<std::size_t>(found - kPackets.begin());
    if (texts_.size() < 2)
      return refuse(cat(packet,
                        " needs a property and its value, for example: -D publish "
                        "content-type text/plain"));
    const std::string name = lower(take());
    const PropertyRule* rule = find_rule(name);
    if (rule == nullptr || (rule->places & kPlaces[at]) == 0)
      return refuse(
          cat("'", name, "' is no property of ", packet, "; there are ", names_of(kPlaces[at])));
    return add(static_cast<PropertyPacket>(at), *rule, name);
  }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  std::string take() {
    std::string text = texts_.front();
    texts_ = texts_.subspan(1);
    return text;
  }
  bool refuse(std::string error) {
    error_ = std::move(error);
    return false;
  }
  bool add(PropertyPacket packet, const PropertyRule& rule, const std::string& name) {
    mqtt::PropertyWriter one;
    const std::string value = take();
    std::string fault;
    if (rule.type == PropertyType::string_pair) {
      if (texts_.empty()) return refuse("user-property needs a name and a value");
      const std::string second = take();
      if (value.size() > 65'535 || second.size() > 65'535) {
        fault = "has at most 65,535 bytes";
      } else {
        one.pair(value, second);
      }
    } else {
      fault = write_value(one, rule, value);
    }
    if (!fault.empty()) return refuse(cat(name, ' ', fault));
    if (rule.id == Property::topic_alias) {
      const auto alias = static_cast<std::uint8_t>(one.bytes()[1]) << 8 |
                         static_cast<std::uint8_t>(one.bytes()[2]);
      properties_.topic_alias = static_cast<std::uint16_t>(alias);
      return true;
    }
    std::string& wire = properties_.of(packet);
    wire += one.bytes();
    const auto place = kPlaces[static_cast<std::size_t>(packet)];
    if (const auto error = mqtt::check_properties(wire, place)) return refuse(error->text);
    return true;
  }

  std::span<const std::string> texts_;
  PacketProperties& properties_;
  std::string error_;
};

}  // namespace

bool PacketProperties::empty() const noexcept {
  return topic_alias == 0 && std::all_of(wire_.begin(), wire_.end(),
                                         [](const std::string& wire) { return wire.empty(); });
}

bool PacketProperties::has(PropertyPacket packet, mqtt::Property id) const noexcept {
  mqtt::PropertyReader properties(of(packet), kPlaces[static_cast<std::size_t>(packet)]);
  while (properties.next()) {
    if (properties.value().id == id) return true;
  }
  return false;
}

std::string property_name(mqtt::Property id) {
  for (const PropertyRule& rule : mqtt::property_rules()) {
    if (rule.id != id) continue;
    std::string name = lower(rule.name);
    std::replace(name.begin(), name.end(), ' ', '-');
    return name;
  }
  return {};
}

std::optional<PacketProperties> parse_properties(std::span<const std::string> texts,
                                                 std::string& error) {
  PacketProperties properties;
  Parser parser(texts, properties);
  while (parser.next())
    continue;
  if (parser.error().empty()) return properties;
  error = cat("-D: ", parser.error());
  return std::nullopt;
}

}  // namespace linnet::pubsub
