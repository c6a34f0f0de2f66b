// What the conformance tests of MQTT 3.1.1 share. A `bare` client is one that is about to connect.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conformance.hpp"
#include "support/cluster.hpp"

namespace linnet::test {

inline constexpr Version k311 = Version::v3_1_1;
inline constexpr std::string_view kConnackBytes = "20 02 00 00";

/// A session that outlives its link.
inline const ConnectOptions kKept{.clean_start = false};

/// SUBACK's word for a refusal.
inline constexpr ReasonCode kRefused{0x80};

/// CONNACK's return code.
inline ReasonCode return_code(unsigned code) {
  return static_cast<ReasonCode>(code);
}

/// Connects, sends these bytes, and is disconnected without another word.
inline void ends_link(Client& bare, const std::string& bytes,
                      Client::Where where = Client::Where::current()) {
  bare.connects({}, where).sends(bytes, where);
  bare.is_closed(where).gets_hex(kConnackBytes, where);
}

/// Connects, sends these bytes, and can go on.
inline void keeps_link(Client& bare, const std::string& bytes,
                       Client::Where where = Client::Where::current()) {
  bare.connects({}, where).sends(bytes, where).is_open(where);
}

/// Sends these bytes first, and is disconnected without a CONNACK.
inline void gets_no_connack(Client& bare, const std::string& bytes,
                            Client::Where where = Client::Where::current()) {
  bare.opens(where).sends(bytes, where);
  bare.is_closed(where).gets_hex("", where);
}

/// A CONNECT of MQTT 3.1.1 with these flags and this payload, Keep Alive 0.
inline std::string connect_with(unsigned flags, const Bytes& payload) {
  return packet(0x10, Bytes().text("MQTT").u8(4).u8(flags).u16(0).raw(payload.str()).str());
}

/// The packets of a connected client that hold a topic name or filter.
inline std::vector<std::string> packets_with(const std::string& text) {
  return {publish_packet(k311, text, "payload", {}), subscribe_packet(k311, 1, {text}, {}),
          unsubscribe_packet(k311, 1, {text})};
}

/// CONNECTs with this text in each place where the standard wants UTF-8.
inline std::vector<std::string> connects_with(const std::string& text) {
  return {connect_packet(k311, text, {}),
          connect_packet(k311, "c", {.will = WillOptions{.topic = text, .payload = "gone"}}),
          connect_packet(k311, "c", {.user_name = text})};
}

}  // namespace linnet::test
