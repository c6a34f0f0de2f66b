#include "pubsub/format.hpp"

#include <algorithm>

#include "base/cat.hpp"
#include "pubsub/json_text.hpp"
#include "pubsub/properties.hpp"
#include "pubsub/terminal.hpp"

namespace linnet::pubsub {

namespace {

using mqtt::Property;

constexpr std::string_view kKinds = "ACDEFIJPRSUXjlmpqrtx";
/// What may have flags, a width and a largest size.
constexpr std::string_view kPadded = "ACEFIRSXlmptx";
constexpr std::size_t kWidthMax = 10'000;

/// The values of one property, joined by spaces; user properties as name:value.
std::string property_text(const mqtt::ReceivedPublish& publish, Property id) {
  std::string text;
  mqtt::PropertyReader properties(publish.properties, place_of(mqtt::PacketType::publish));
  while (properties.next()) {
    const auto& value = properties.value();
    if (value.id != id) continue;
    if (!text.empty()) text += ' ';
    switch (id) {
      case Property::user_property: text += cat(value.text, ':', value.second); break;
      case Property::content_type:
      case Property::response_topic:
      case Property::correlation_data: text += value.text; break;
      default: text += cat(value.number);
    }
  }
  return text;
}

std::string hex(std::string_view bytes, std::string_view digits) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char byte : bytes) {
    const auto value = static_cast<std::uint8_t>(byte);
    text += digits[value >> 4];
    text += digits[value & 15];
  }
  return text;
}

std::string nanoseconds(const timespec& time) {
  const std::string digits = cat(time.tv_nsec);
  return std::string(9 - std::min<std::size_t>(digits.size(), 9), '0') + digits;
}

std::string time_by(const timespec& time, const char* format) {
  tm parts{};
  ::localtime_r(&time.tv_sec, &parts);
  char text[128];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

std::string time_value(char kind, const timespec& time) {
  if (kind == 'N') return nanoseconds(time);
  const char format[] = {'%', kind, '\0'};
  return time_by(time, format);
}

}  // namespace

std::string time_text(const timespec& time) {
  return cat(time_by(time, "%Y-%m-%dT%H:%M:%S."), nanoseconds(time).substr(0, 6),
             time_by(time, "%z"));
}

void Format::add_text(char c) {
  if (pieces_.empty() || pieces_.back().kind != 0) pieces_.emplace_back();
  pieces_.back().text += c;
}

std::optional<Format> Format::parse(std::string_view text, std::string& error) {
  Format format;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '%') {
      if (!format.take_percent(text, error)) return std::nullopt;
    } else if (c == '\\') {
      if (!format.take_escape(text, error)) return std::nullopt;
    } else if (c == '@') {
      if (text.empty()) {
        error = "-F ends with @; write @@ for the sign itself";
        return std::nullopt;
      }
      if (text.front() == '@') {
        format.add_text('@');
      } else {
        Piece piece;
        piece.kind = text.front();
        piece.is_time = true;
        format.pieces_.push_back(std::move(piece));
      }
      text.remove_prefix(1);
    } else {
      format.add_text(c);
    }
  }
  return format;
}

bool Format::take_percent(std::string_view& text, std::string& error) {
  Piece piece;
  const auto take_number = [&text](std::size_t& number) {
    for (number = 0; !text.empty() && text.front() >= '0' && text.front() <= '9';
         text.remove_prefix(1))
      number = std::min(kWidthMax, number * 10 + static_cast<std::size_t>(text.front() - '0'));
  };
  for (; text.starts_with('0') || text.starts_with('-'); text.remove_prefix(1))
    (text.front() == '0' ? piece.zeros : piece.left) = true;
  take_number(piece.width);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    take_number(piece.size_max);
  }
  if (text.empty()) {
    error = "-F ends with %; write %% for the sign itself";
    return false;
  }
  piece.kind = text.front();
  text.remove_prefix(1);
  const bool plain =
      !piece.zeros && !piece.left && piece.width == 0 && piece.size_max == std::string::npos;
  if (piece.kind == '%' && plain) {
    add_text('%');
    return true;
  }
  if (kKinds.find(piece.kind) == std::string_view::npos) {
    error =
        cat("-F: %", shown({&piece.kind, 1}), " is none of %", "%, %A, %C, %D, %E, %F, %I, %J, ",
            "%P, %R, %S, %U, %X, %j, %l, %m, %p, %q, %r, %t and %x");
    return false;
  }
  if (!plain && kPadded.find(piece.kind) == std::string_view::npos) {
    error = cat("-F: %", piece.kind, " takes no flags and no width");
    return false;
  }
  pieces_.push_back(std::move(piece));
  return true;
}

bool Format::take_escape(std::string_view& text, std::string& error) {
  constexpr std::string_view kLetters = "\\0aenrtv";
  constexpr std::string_view kMeanings{"\\\0\a\x1b\n\r\t\v", 8};
  const auto at = text.empty() ? std::string_view::npos : kLetters.find(text.front());
  if (at == std::string_view::npos) {
    error = "-F: behind \\ stands one of \\ 0 a e n r t v";
    return false;
  }
  add_text(kMeanings[at]);
  text.remove_prefix(1);
  return true;
}

std::string Format::value_of(const Piece& piece, const Arrival& arrival, bool safe) {
  const mqtt::ReceivedPublish& publish = arrival.publish;
  const auto text = [safe](std::string_view bytes, Lines lines = Lines::escaped) {
    return safe ? shown(bytes, lines) : std::string(bytes);
  };
  switch (piece.kind) {
    case 'A': return property_text(publish, Property::topic_alias);
    case 'C': return text(property_text(publish, Property::content_type));
    case 'D': return text(property_text(publish, Property::correlation_data));
    case 'E': return property_text(publish, Property::message_expiry_interval);
    case 'F': return property_text(publish, Property::payload_format_indicator);
    case 'I': return time_by(arrival.time, "%Y-%m-%dT%H:%M:%S%z");
    case 'J': return message_json(arrival, JsonPayload::nested);
    case 'P': return text(property_text(publish, Property::user_property));
    case 'R': return text(property_text(publish, Property::response_topic));
    case 'S': return property_text(publish, Property::subscription_identifier);
    case 'U': return cat(arrival.time.tv_sec, '.', nanoseconds(arrival.time));
    case 'X': return hex(publish.payload, "0123456789ABCDEF");
    case 'j': return message_json(arrival, JsonPayload::text);
    case 'l': return cat(publish.payload.size());
    case 'm': return cat(publish.packet_id);
    case 'p': return text(publish.payload, Lines::kept);
    case 'q': return cat(static_cast<unsigned>(publish.qos));
    case 'r': return cat(publish.retain ? 1 : 0);
    case 't': return text(publish.topic);
    default: return hex(publish.payload, "0123456789abcdef");
  }
}

void Format::append_padded(std::string& out, const Piece& piece, std::string_view value) {
  constexpr std::string_view kTexts = "CIRt";
  constexpr std::string_view kNumbers = "AEFSXlmx";
  if (kTexts.find(piece.kind) != std::string_view::npos) value = value.substr(0, piece.size_max);
  const std::size_t padding = piece.width > value.size() ? piece.width - value.size() : 0;
  const bool zeros =
      piece.zeros && !piece.left && kNumbers.find(piece.kind) != std::string_view::npos;
  if (!piece.left) out.append(padding, zeros ? '0' : ' ');
  out += value;
  if (piece.left) out.append(padding, ' ');
}

bool Format::append(std::string& out, const Arrival& arrival, bool safe) const {
  const std::size_t before = out.size();
  for (const Piece& piece : pieces_) {
    if (piece.kind == 0) {
      out += piece.text;
    } else if (piece.is_time) {
      out += time_value(piece.kind, arrival.time);
    } else if (piece.kind == 'J' && !is_json(arrival.publish.payload)) {
      out.resize(before);
      return false;
    } else if (piece.kind == 'j' || piece.kind == 'J') {
      const std::string json = value_of(piece, arrival, false);
      if (is_pretty_) {
        append_pretty(out, json, Palette(false));
      } else {
        out += safe ? shown(json) : json;
      }
    } else {
      append_padded(out, piece, value_of(piece, arrival, safe));
    }
  }
  return true;
}

}  // namespace linnet::pubsub
