// The format of `linnet sub -F`: what a message is printed as. Pure, but for the time zone.
//
//   const auto format = Format::parse("%t: %p @H:@M", error);       // nothing: `error` says why
//   format->append(out, {publish, time}, safe);
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/decode_client.hpp"

namespace linnet::pubsub {

/// A message, and when it came.
struct Arrival {
  const mqtt::ReceivedPublish& publish;
  timespec time{};
};

class Format {
 public:
  [[nodiscard]] static std::optional<Format> parse(std::string_view text, std::string& error);

  /// What of the message a terminal might obey is escaped if `safe`. False if the format wants a
  /// payload as JSON (%J) that is none; then `out` is as it was.
  [[nodiscard]] bool append(std::string& out, const Arrival& arrival, bool safe) const;
  /// JSON of %j and %J over several lines.
  void set_pretty(bool pretty) noexcept { is_pretty_ = pretty; }

 private:
  struct Piece {
    char kind = 0;         // a letter behind %, or 0: only the text
    bool is_time = false;  // a letter behind @
    bool zeros = false;
    bool left = false;
    std::size_t width = 0;
    std::size_t size_max = std::string::npos;  // of texts
    std::string text;
  };

  [[nodiscard]] bool take_percent(std::string_view& text, std::string& error);
  [[nodiscard]] bool take_escape(std::string_view& text, std::string& error);
  void add_text(char c);
  [[nodiscard]] static std::string value_of(const Piece& piece, const Arrival& arrival, bool safe);
  static void append_padded(std::string& out, const Piece& piece, std::string_view value);

  std::vector<Piece> pieces_;
  bool is_pretty_ = false;
};

/// "2026-01-31T12:00:00.000000+0100", local time.
[[nodiscard]] std::string time_text(const timespec& time);

enum class JsonPayload {
  text,    // a string; bytes that are not UTF-8 as "payload_base64" instead
  nested,  // the payload itself is JSON
};
/// One line: {"tst":...,"topic":...,"qos":0,"retain":0,"payloadlen":5,"payload":"hello"}, with mid
/// at QoS 1 and 2, and properties if there are any.
[[nodiscard]] std::string message_json(const Arrival& arrival, JsonPayload payload);

}  // namespace linnet::pubsub
