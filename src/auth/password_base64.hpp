// Base64 (RFC 4648, section 4) as password files have it. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace linnet::auth {

enum class Padding : std::uint8_t {
  full,  // the text is a multiple of four long: Mosquitto, SCRAM
  none,  // no = at the end: Argon2
};

/// Nothing if it is not the one way to write some bytes: no blanks, no bits left over.
[[nodiscard]] std::optional<std::string> base64_decoded(std::string_view text, Padding padding);
[[nodiscard]] std::string base64_encoded(std::string_view bytes, Padding padding);

}  // namespace linnet::auth
