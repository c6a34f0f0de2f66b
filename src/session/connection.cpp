// A connection's packets, its time-outs and its end.
#include "session/connection.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/cat.hpp"
#include "base/log.hpp"
#include "net/first_bytes.hpp"

namespace linnet::session {

namespace {

/// Before CONNECT a stranger may not make us keep more than this, in bytes.
constexpr std::uint32_t kGreetingSizeMax = 256 << 10;
/// A link with more SUBSCRIBEs than this waiting for other shards is not read.
constexpr std::uint32_t kUnconfirmedMax = 16;
constexpr std::uint64_t kForever = ~std::uint64_t{0};
/// What answers may take in an outbox beyond limits.outbox_bytes_max, in bytes.
constexpr std::size_t kAnswersMax = 64 << 10;

/// What to say to those who have come to the wrong port; null for MQTT.
const char* foreign_protocol(std::string_view bytes) noexcept {
  switch (net::first_protocol(bytes)) {
    case net::FirstProtocol::tls:
      return "speaks TLS, which this listener does not; use mqtts:// or any://";
    case net::FirstProtocol::http:
      return "speaks HTTP, which this listener does not; use ws:// or any:// for WebSocket";
    case net::FirstProtocol::none:
    case net::FirstProtocol::mqtt:
    case net::FirstProtocol::unknown: break;
  }
  return nullptr;
}

}  // namespace

Connection::Connection(net::Link& link, Services& services, Arrival arrival)
    : services_(services),
      link_(&link),
      timer_(Timer::calling<&Connection::on_timer>(*this)),
      last_heard_ms_(services.now_ms()),
      has_place_(arrival.has_place) {
  login_ = std::move(arrival.login);
  link_->set_user(this);
  const auto timeout = services_.limits().connect_timeout.count();
  services_.timers.arm(timer_, last_heard_ms_ + static_cast<std::uint64_t>(timeout));
}

Connection::~Connection() = default;

std::string Connection::name() const {
  const std::string peer = link_ == nullptr ? std::string("gone") : link_->peer();
  if (!session_) return cat("client at ", peer);
  const std::string_view user = session_->user_name();
  return cat("client \"", session_->client_id(), "\" (", peer, user.empty() ? ")" : ") of user \"",
             user, user.empty() ? "" : "\"");
}

std::size_t Connection::on_bytes(std::string_view bytes) {
  const boost::intrusive_ptr<Connection> self(this);
  last_heard_ms_ = services_.now_ms();
  std::size_t used = 0;
  if (state_ == State::greeting) {
    if (const char* foreign = foreign_protocol(bytes)) {
      log_fault(foreign);
      finish(net::CloseMode::flush, Farewell::lost);
    }
  }
  while (reading_ &&
         (state_ == State::greeting || state_ == State::authenticating || state_ == State::open)) {
    const std::uint32_t size_max =
        state_ == State::open ? told_packet_size_max_
                              : std::min(services_.limits().packet_size_max, kGreetingSizeMax);
    const auto framed = mqtt::next_frame(bytes.substr(used), size_max);
    if (framed.state == mqtt::Framed::State::incomplete) break;
    if (framed.state == mqtt::Framed::State::bad) {
      fail(framed.error);
      break;
    }
    if (on_frame(framed.frame) == Frame::left) break;
    ++services_.counters.messages_received;
    used += framed.frame.whole.size();
    if (services_.memory.any() && pauses_for_breath(used)) break;
  }
  if (services_.memory.level() >= Pressure::pause_publishers) {
    feel_pressure(used, bytes.size() - used);
  }
  if (answers_blocked()) update_reading();
  return state_ == State::closed ? bytes.size() : used;
}

Connection::Frame Connection::on_frame(const mqtt::Frame& frame) {
  if (state_ == State::open) return on_connected_frame(frame);
  if (state_ == State::authenticating) return on_exchange_frame(frame);
  if (frame.type() == mqtt::PacketType::connect) return on_connect(frame);
  log_fault(cat("sent ", mqtt::name_of(frame.type()),
                " before CONNECT; the first packet must be "
                "CONNECT"));
  finish(net::CloseMode::flush, Farewell::lost);  // MQTT-3.1.0-1
  return Frame::taken;
}

/// Between CONNECT and CONNACK a client may send nothing else (MQTT-4.12.0-4 and its like).
Connection::Frame Connection::on_exchange_frame(const mqtt::Frame& frame) {
  if (frame.type() == mqtt::PacketType::auth) {
    on_auth(frame);
  } else if (frame.type() == mqtt::PacketType::disconnect) {
    finish(net::CloseMode::flush, Farewell::without_will);
  } else {
    fail({ReasonCode::protocol_error, "before CONNACK nothing but AUTH may come"});
  }
  return Frame::taken;
}

Connection::Frame Connection::on_connected_frame(const mqtt::Frame& frame) {
  using mqtt::PacketType;
  switch (frame.type()) {
    case PacketType::publish: return on_publish(frame);
    case PacketType::puback: on_puback(frame); break;
    case PacketType::pubrec: on_pubrec(frame); break;
    case PacketType::pubrel: on_pubrel(frame); break;
    case PacketType::pubcomp: on_pubcomp(frame); break;
    case PacketType::subscribe: on_subscribe(frame); break;
    case PacketType::unsubscribe: on_unsubscribe(frame); break;
    case PacketType::pingreq: on_pingreq(frame); break;
    case PacketType::disconnect: on_disconnect(frame); break;
    case PacketType::auth: on_auth(frame); break;
    case PacketType::connect:  // MQTT-3.1.0-2
      fail({ReasonCode::protocol_error, "a second CONNECT came; send it once per connection"});
      break;
    case PacketType::reserved:
    case PacketType::connack:
    case PacketType::suback:
    case PacketType::unsuback:
    case PacketType::pingresp:
      fail({ReasonCode::protocol_error, "this packet is one that only a server may send"});
      break;
  }
  return Frame::taken;
}

void Connection::on_pingreq(const mqtt::Frame& frame) {
  const auto ping = mqtt::decode_pingreq(frame);
  if (!ping) return fail(ping.error());
  // Nothing goes out before CONNACK (MQTT-3.2.0-1); no other answer has to leave before it.
  if (!connack_) return write_pingresp();
  owe({0, mqtt::PacketType::pingresp, ReasonCode::success, 0, nullptr});
}

void Connection::on_drained() {
  const boost::intrusive_ptr<Connection> self(this);
  if (state_ != State::open) return;
  update_reading();
  session_->pump();
}

void Connection::on_refused(std::string_view fault) {
  const boost::intrusive_ptr<Connection> self(this);
  if (!fault.empty()) log_fault(fault);
  finish(net::CloseMode::flush, Farewell::lost);
}

void Connection::on_closed(std::error_code reason) {
  const boost::intrusive_ptr<Connection> self(this);
  if (log::enabled(log::Level::debug, "session")) {
    log::debug("session", cat(name(), " has gone: ", reason.message()));
  }
  link_ = nullptr;
  finish(net::CloseMode::now, Farewell::lost);
}

void Connection::on_done(OperationId operation, ReasonCode reason) {
  if (state_ != State::open) return;
  const boost::intrusive_ptr<Connection> self(this);
  const auto type = acks_.release(operation, reason);
  flush_acks();
  if (type != mqtt::PacketType::suback || state_ != State::open) return;
  session_->on_subscribed(operation, !failed(reason));
}

void Connection::on_room() {
  if (!parked_) return;
  parked_ = false;
  if (state_ == State::refusing) return;  // its timer closes the link
  update_reading();
  arm_keep_alive();
}

/// Messages stop at limits.outbox_bytes_max; what fills the outbox beyond it are answers to a
/// client that sends without reading. It is not heard until it has taken them.
bool Connection::answers_blocked() {
  if (link_ == nullptr) return false;
  // The last message may have begun just below the limit.
  const Limits& limits = services_.limits();
  const std::size_t size_max =
      std::size_t{limits.outbox_bytes_max} + limits.packet_size_max + kAnswersMax;
  if (link_->outbox().size() < size_max) return false;
  link_->want_drained();
  return true;
}

/// Reads or does not read, as all reasons together demand.
void Connection::update_reading() {
  const bool wanted =
      state_ != State::refusing && state_ != State::verifying && !parked_ && !held_ && !slowed_ &&
      !stopping_ && unconfirmed_subscribes_ < kUnconfirmedMax && !answers_blocked() &&
      acks_.size() <= std::max(told_receive_maximum_, services_.limits().receive_maximum);
  if (wanted == reading_ || link_ == nullptr) return;
  reading_ = wanted;
  if (reading_) {
    last_heard_ms_ = services_.now_ms();
    link_->resume();
  } else {
    link_->pause();
  }
}

std::uint64_t Connection::keep_alive_due_ms() const noexcept {
  return keep_alive_s_ == 0 ? kNever : last_heard_ms_ + std::uint64_t{keep_alive_s_} * 1500;
}

/// The wall clock is asked again at least every minute: it may jump.
void Connection::arm_keep_alive() {
  constexpr std::uint64_t kLookEvery = 60'000;
  std::uint64_t due = keep_alive_due_ms();
  if (const std::uint64_t left = left_to_expiry_ms(); left != kForever) {
    const std::uint64_t look = services_.now_ms() + std::min(left, kLookEvery);
    due = due == kNever ? look : std::min(due, look);
  }
  if (due == kNever) return timer_.cancel();
  services_.timers.arm(timer_, due);
}

/// What has proven the client's user name may be good for a time only; kForever if not.
std::uint64_t Connection::left_to_expiry_ms() const noexcept {
  constexpr std::uint64_t kFarAway = kForever / 1000;
  const std::uint64_t end_s = session_->expires_at_s();
  if (end_s == 0 || end_s >= kFarAway) return kForever;
  const auto now =
      static_cast<std::uint64_t>(std::max<std::int64_t>(services_.gate.clock().wall_ms(), 0));
  return end_s * 1000 > now ? end_s * 1000 - now : 0;
}

void Connection::on_greeting_timeout() {
  switch (state_) {
    case State::verifying:
      return refuse_connect(ReasonCode::server_busy,
                            "the login took longer than limits.connect_timeout; try again later");
    case State::authenticating:
      return refuse_connect(ReasonCode::not_authorized,
                            "no AUTH came within limits.connect_timeout");
    default: break;
  }
  log_fault("sent no CONNECT within limits.connect_timeout");
  finish(net::CloseMode::now, Farewell::lost);
}

void Connection::on_timer() {
  const boost::intrusive_ptr<Connection> self(this);
  if (state_ == State::refusing) return finish(net::CloseMode::now, Farewell::lost);
  if (state_ != State::open) return on_greeting_timeout();
  if (parked_) {
    refuse_next_ = true;
    return on_room();
  }
  if (left_to_expiry_ms() == 0) {
    return fail({ReasonCode::maximum_connect_time,
                 "what has proven the user name has expired; connect with a new one"});
  }
  if (slowed_) {
    slowed_ = false;
    update_reading();
    return arm_keep_alive();
  }
  const std::uint64_t due = keep_alive_due_ms();
  // A link that is not read can't be heard: the silence is ours, unless the client does not take
  // its answers.
  const bool our_silence = !reading_ && !answers_blocked();
  if (due == kNever || due > services_.now_ms() || our_silence) {
    if (our_silence) last_heard_ms_ = services_.now_ms();
    return arm_keep_alive();
  }
  fail({ReasonCode::keep_alive_timeout,
        "nothing came for 1.5 times the Keep Alive; send PINGREQ in time"});
}

void Connection::refuse_silently() {
  log_fault(
      "a message was refused, which MQTT 3 has no way to say; the connection is closed "
      "without acknowledging it");
  state_ = State::refusing;
  update_reading();
  const auto timeout = services_.limits().refuse_timeout.count();
  services_.timers.arm(timer_, services_.now_ms() + static_cast<std::uint64_t>(timeout));
}

void Connection::take_over() {
  const boost::intrusive_ptr<Connection> self(this);
  send_disconnect(ReasonCode::session_taken_over,
                  "another client has connected with this client identifier");
  finish(net::CloseMode::flush, Farewell::lost);
}

void Connection::stop_reading() {
  stopping_ = true;
  update_reading();
}

void Connection::shut_down() {
  const boost::intrusive_ptr<Connection> self(this);
  if (!session_ && state_ != State::greeting && state_ != State::closed) {
    // Nothing but CONNACK answers a CONNECT.
    return refuse_connect(ReasonCode::server_unavailable, "the broker stops; connect again later");
  }
  flush_acks();
  if (state_ == State::closed) return;
  send_disconnect(ReasonCode::server_shutting_down, "the broker stops; connect again later");
  finish(net::CloseMode::flush, Farewell::without_will);
}

std::unique_ptr<net::Link> Connection::give_link() {
  const boost::intrusive_ptr<Connection> self(this);
  auto link = link_->leave();
  link->set_user(nullptr);
  link_ = nullptr;
  moved_ = true;
  finish(net::CloseMode::now, Farewell::without_will);
  return link;
}

void Connection::fail(const ProtocolError& error) {
  log_fault(cat(error.text, " (", name_of(error.reason), ")"));
  if (session_) send_disconnect(error.reason, error.text);
  finish(net::CloseMode::flush, Farewell::lost);
}

void Connection::finish(net::CloseMode mode, Farewell farewell) {
  if (state_ == State::closed) return;
  state_ = State::closed;
  timer_.cancel();
  if (login_ && login_->ticket != 0) services_.gate.forget(login_->ticket);
  if (address_) auth::give_back_one(address_->connections);
  address_.reset();
  if (link_ != nullptr) {
    link_->close(services_.peers.may_linger() ? mode : net::CloseMode::now);
    link_ = nullptr;
  }
  if (session_) {
    --services_.counters.clients_connected;
    session_->detach(farewell);
  }
  services_.peers.forget_connection(*this);
}

void Connection::review() {
  if (state_ != State::open) return;
  const boost::intrusive_ptr<Connection> self(this);
  note_rates();
  if (const char* fault = no_longer_welcome(session_->identity())) {
    fail({ReasonCode::not_authorized, fault});
  }
}

/// Why a client that was let in once would not be let in under the settings of now; null if it
/// would be, as far as can be told without its password.
const char* Connection::no_longer_welcome(const auth::Identity* identity) const {
  using enum auth::Method;
  const auto method = identity == nullptr ? none : identity->method;
  if (method == password || method == scram) {
    const auth::PasswordFile* passwords = services_.policy()->passwords();
    if (passwords != nullptr && passwords->find(identity->user_name) != nullptr) return nullptr;
    return "there is no such user any more";
  }
  const net::ListenerTraits& listener = link_->listener();
  const auth::Policy& policy = *services_.policy();
  if (method != none) {
    const auto order = policy.order();
    if (std::find(order.begin(), order.end(), method) != order.end()) return nullptr;
    return "the way in which the client has logged in is no longer offered";
  }
  if (services_.gate.admits_anonymous(listener.allow_anonymous, listener.local)) return nullptr;
  // A certificate that names nobody is enough where there is no other way to log in.
  const bool proven = link_->facts().proof != net::PeerFacts::Proof::none;
  if (proven && !policy.has_logins()) return nullptr;
  return "anonymous clients are no longer allowed here; log in";
}

void Connection::log_denial(std::string_view what, std::string_view topic,
                            const auth::Decision& decision) {
  if (!log::enabled(log::Level::info, "auth")) return;
  const auto verdict = services_.denial_limiter.ask(services_.now_ms());
  if (!verdict.allowed) return;
  const std::string_view user = session_->user_name();
  log::info("auth",
            cat(name(), user.empty() ? ", anonymous," : "", " must not ", what, " \"", topic,
                "\": ", session_->access()->name_of(decision), more_like_it(verdict)));
}

void Connection::log_fault(std::string_view text) {
  if (!log::enabled(log::Level::info, "session")) return;
  const auto verdict = services_.log_limiter.ask(services_.now_ms());
  if (verdict.allowed) log::info("session", cat(name(), ": ", text, more_like_it(verdict)));
}

}  // namespace linnet::session
