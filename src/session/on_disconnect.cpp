// DISCONNECT from the client (MQTT 5.0, section 3.14).
#include <algorithm>

#include "session/connection.hpp"

namespace linnet::session {

void Connection::on_disconnect(const mqtt::Frame& frame) {
  const auto decoded = mqtt::decode_disconnect(frame, version_);
  if (!decoded) return fail(decoded.error());
  if (const auto expiry_s = decoded->session_expiry_s) {
    if (*expiry_s != 0 && !session_->kept()) {
      return fail({ReasonCode::protocol_error,
                   "the session expiry was 0 in CONNECT and can't be raised by DISCONNECT"});
    }
    session_->set_expiry(std::min(*expiry_s, services_.limits().session_expiry_max_s));
  }
  const bool normal = decoded->reason == ReasonCode::success;
  finish(net::CloseMode::leave, normal ? Farewell::without_will : Farewell::with_will);
}

}  // namespace linnet::session
