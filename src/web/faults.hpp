// What a WebSocket's other side did wrong, in words for a log line: what, and the mend. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include <boost/system/error_code.hpp>

namespace linnet::web {

enum class Fault : std::uint8_t {
  none,
  below,  // the channel below has the words
  wire,
  text,
  unmasked,
  reserved_bits,
  opcode,
  control_frame,
  sequence,
  size,
  too_big,
  close_frame,
  utf8,
  deflate,
};

[[nodiscard]] std::string_view text_of(Fault fault) noexcept;
/// Of an error that Beast's stream ended with.
[[nodiscard]] Fault fault_of(const boost::system::error_code& error) noexcept;

}  // namespace linnet::web
