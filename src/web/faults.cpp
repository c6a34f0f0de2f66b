#include "web/faults.hpp"

#include <array>
#include <utility>

#include <boost/beast/websocket/error.hpp>

namespace linnet::web {

std::string_view text_of(Fault fault) noexcept {
  switch (fault) {
    case Fault::none:
    case Fault::below:
    case Fault::wire: return {};
    case Fault::text:
      return "it sent a text frame; MQTT over WebSocket wants binary ones (MQTT-6.0.0-1)";
    case Fault::unmasked:
      return "it sent a WebSocket frame without a mask, which RFC 6455 demands of clients";
    case Fault::reserved_bits:
      return "it set reserved bits of a WebSocket frame without an extension that uses them";
    case Fault::opcode: return "it sent a WebSocket frame of an unknown kind (opcode)";
    case Fault::control_frame:
      return "it sent a ping, pong or Close that is fragmented or longer than 125 bytes";
    case Fault::sequence: return "it mixed the frames of two WebSocket messages, or continued none";
    case Fault::size:
      return "it wrote the length of a WebSocket frame in a longer form than needed";
    case Fault::too_big:
      return "it sent a WebSocket message that is longer than limits.websocket_message_max; send "
             "less in one message, or raise the limit";
    case Fault::close_frame: return "it closed the WebSocket with a code or text that is not valid";
    case Fault::utf8: return "it sent a text frame that is not UTF-8, where MQTT wants binary ones";
    case Fault::deflate: return "it sent a compressed WebSocket message that can't be inflated";
  }
  return {};
}

Fault fault_of(const boost::system::error_code& error) noexcept {
  using Of = boost::beast::websocket::error;
  constexpr std::array kTable = {
      std::pair{Of::bad_unmasked_frame, Fault::unmasked},
      std::pair{Of::bad_reserved_bits, Fault::reserved_bits},
      std::pair{Of::bad_opcode, Fault::opcode},
      std::pair{Of::bad_control_fragment, Fault::control_frame},
      std::pair{Of::bad_control_size, Fault::control_frame},
      std::pair{Of::bad_data_frame, Fault::sequence},
      std::pair{Of::bad_continuation, Fault::sequence},
      std::pair{Of::bad_size, Fault::size},
      std::pair{Of::message_too_big, Fault::too_big},
      std::pair{Of::bad_close_code, Fault::close_frame},
      std::pair{Of::bad_close_size, Fault::close_frame},
      std::pair{Of::bad_close_payload, Fault::close_frame},
      std::pair{Of::bad_frame_payload, Fault::utf8},
  };
  for (const auto& [of_beast, fault] : kTable) {
    if (error == of_beast) return fault;
  }
  // All that is left are the errors of inflating: the pipe itself reports none.
  return Fault::deflate;
}

}  // namespace linnet::web
