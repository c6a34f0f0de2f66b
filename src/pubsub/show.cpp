#include "pubsub/show.hpp"

#include "base/cat.hpp"
#include "pubsub/json_text.hpp"
#include "pubsub/terminal.hpp"

namespace linnet::pubsub {

namespace {

/// A larger one is printed as it is: nobody reads it anyhow.
constexpr std::size_t kPrettyMax = 1 << 20;

}  // namespace

std::string Show::append(std::string& out, const Arrival& arrival) const {
  const std::size_t before = out.size();
  if (settings_.json) {
    append_json(out, arrival);
    out += '\n';
    return {};
  }
  if (settings_.format) {
    if (!settings_.format->append(out, arrival, settings_.terminal)) {
      return cat("the payload on ", shown(arrival.publish.topic),
                 " is no JSON, which %J wants; use %j");
    }
  } else if (settings_.terminal) {
    append_for_people(out, arrival.publish);
  } else {
    append_raw(out, arrival.publish);
  }
  const bool printed = out.size() > before || settings_.format;
  if (printed && settings_.end_of_line) out += '\n';
  return {};
}

/// What Mosquitto's tools print: programs read it.
void Show::append_raw(std::string& out, const mqtt::ReceivedPublish& publish) const {
  if (!settings_.shows_topic) {
    out += publish.payload;
  } else if (!publish.payload.empty()) {
    out.append(publish.topic).append(" ").append(publish.payload);
  } else if (settings_.end_of_line) {
    out.append(publish.topic).append(" (null)");
  }
}

void Show::append_for_people(std::string& out, const mqtt::ReceivedPublish& publish) const {
  const Palette palette(settings_.colours);
  if (settings_.shows_topic) {
    palette.put(out, Paint::topic, shown(publish.topic));
    if (publish.retain) palette.put(out, Paint::dim, " (retained)");
  }
  const std::string_view payload = publish.payload;
  std::string text;
  const bool is_text = is_plain_text(payload);
  if (payload.empty()) {
    palette.put(text, Paint::dim, "(empty)");
  } else if (!is_text) {
    palette.put(text, Paint::dim, hex_dump(payload));
  } else if (payload.size() <= kPrettyMax && is_json(payload)) {
    append_pretty(text, payload, palette);
  } else {
    text = shown(payload, Lines::kept);
  }
  const bool fits = is_text && text.find('\n') == std::string::npos;
  if (settings_.shows_topic) out += fits ? ' ' : '\n';
  out += text;
}

void Show::append_json(std::string& out, const Arrival& arrival) const {
  const std::string json = message_json(arrival, JsonPayload::text);
  if (settings_.pretty) {
    append_pretty(out, json, Palette(settings_.colours));
  } else {
    out += settings_.terminal ? shown(json) : json;
  }
}

}  // namespace linnet::pubsub
