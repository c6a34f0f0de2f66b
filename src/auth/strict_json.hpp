// JSON of strangers, where two readers must never understand two things: one object, well-formed
// UTF-8, no key twice in any object, and no deeper than asked. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace linnet::auth {

/// What a token's header and claims may be nested to.
inline constexpr std::size_t kJsonDepthMax = 8;

/// Nothing if it is no such object: `fault` then says why, without a part of the text: "is not
/// JSON". The caller bounds the text's size.
[[nodiscard]] std::optional<boost::json::object> parse_strict_json(std::string_view text,
                                                                   std::string& fault);

}  // namespace linnet::auth
