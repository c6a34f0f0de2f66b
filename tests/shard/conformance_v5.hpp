// What the tests of MQTT 5.0's statements have in common.
#pragma once

#include <string>
#include <string_view>

#include "conformance.hpp"
#include "support/cluster.hpp"

namespace linnet::test {

/// A text that is not UTF-8: an encoded surrogate.
inline constexpr std::string_view kIllFormed = "\xED\xA0\x80";
/// A text with U+0000 in its middle.
inline constexpr std::string_view kWithNul{"a\0b", 3};

/// A CONNECT whose flags and payload need not fit together.
inline std::string raw_connect(unsigned flags, std::string_view payload, unsigned level = 5,
                               std::string_view name = "MQTT") {
  Bytes body;
  body.text(name).u8(level).u8(flags).u16(0).u8(0).raw(payload);
  return packet(0x10, body.str());
}

/// What a client identifier, a Will or a user name looks like in the payload of CONNECT.
inline std::string field(std::string_view value) {
  return Bytes().text(value).str();
}

/// These bytes from a connected client bring DISCONNECT with this reason, and nothing else.
inline void breaks(std::string_view bytes, ReasonCode reason, Where where = Where::current()) {
  Cluster c;
  auto& a = c.client("a").connects({}, where);
  a.sends(bytes, where).gets_disconnect(reason, where);
  a.gets_nothing(where);
}

/// These bytes on a new link bring CONNACK with this reason and the end, and nothing else.
inline void refuses(std::string_view bytes, ReasonCode reason, Where where = Where::current()) {
  Cluster c;
  auto& a = c.client("a").opens(where);
  a.sends(bytes, where).is_refused(reason, where);
  a.gets_nothing(where);
}

/// A PUBLISH with these properties alone.
inline std::string publish_with(const Properties& properties) {
  return publish_packet(Version::v5, "x", "", {.properties = properties});
}

}  // namespace linnet::test
