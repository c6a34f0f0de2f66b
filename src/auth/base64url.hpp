// Reads base64url as JSON Web Tokens use it (RFC 7515, section 2): no padding, no white space, and
// only one way to write each byte string. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace linnet::auth {

/// Whether the text has no other characters than those of base64url; true for the empty text.
[[nodiscard]] bool is_base64url(std::string_view text) noexcept;

/// The bytes; nothing if the text is none, has a length that none has, or bits beyond the end.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace linnet::auth
