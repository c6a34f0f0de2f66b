// Is this text well-formed UTF-8 (RFC 3629, MQTT 5.0, section 1.5.4)? Pure functions. Both refuse
// overlong forms, surrogates (MQTT-1.5.4-1) and everything beyond U+10FFFF; control characters and
// non-characters are allowed, and a byte order mark is a character like any other (MQTT-1.5.4-3).
#pragma once

#include <string_view>

namespace linnet {

/// An MQTT string: well-formed and without U+0000 (MQTT-1.5.4-2).
[[nodiscard]] bool is_mqtt_utf8(std::string_view text) noexcept;

/// Well-formed, and U+0000 may occur: a payload with Payload Format Indicator 1.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

}  // namespace linnet
