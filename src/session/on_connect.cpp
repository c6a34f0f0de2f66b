// CONNECT (MQTT 5.0, sections 3.1 and 3.2): from the first packet to the CONNACK. On the shard that
// accepted the link the client is let in, at once or when the gate has decided; then the link moves
// to the client's home shard, which reads the same CONNECT again and joins it with its session.
#include <algorithm>

#include "base/assert.hpp"
#include "base/cat.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"
#include "mqtt/property.hpp"
#include "session/connection.hpp"

namespace linnet::session {

namespace {

constexpr std::size_t kAssignedIdDigits = 20;
/// A CONNECT that has been looked at once is not too large.
constexpr std::uint32_t kPacketSizeMax = 0xFFFF'FFFF;
/// A client identifier up to this size makes a Response Information of its own, in bytes.
constexpr std::size_t kResponseIdMax = 1024;

/// A client identifier that nobody can guess, and that MQTT 3.1's 23 bytes can hold.
std::string make_client_id(Random& random) {
  static constexpr std::string_view kLetters = "abcdefghijkmnpqrstuvwxyz23456789";
  std::string id("ln-");
  for (std::size_t at = 0; at < kAssignedIdDigits; ++at) {
    id += kLetters[static_cast<std::size_t>(random.below(kLetters.size()))];
  }
  return id;
}

std::unique_ptr<StoredWill> store_will(const mqtt::Connect& connect) {
  if (!connect.will) return nullptr;
  const mqtt::Will& will = *connect.will;
  std::string stripped;
  std::string_view properties = will.properties.forwarded;
  if (will.properties.mixed) {
    mqtt::strip_hop_properties(properties, stripped);
    properties = stripped;
  }
  auto stored = std::make_unique<StoredWill>();
  stored->message = Message::make(
      {will.topic, will.payload, properties, connect.client_id, kNever, will.qos, will.retain});
  stored->delay_s = will.delay_s;
  stored->expiry_s = will.properties.message_expiry_s;
  return stored;
}

}  // namespace

Connection::Frame Connection::on_connect(const mqtt::Frame& frame) {
  auto decoded = mqtt::decode_connect(frame);
  if (!decoded) {
    const auto& [error, answer_as] = decoded.error();
    // MQTT 3 has a return code for the level alone; a malformed CONNECT gets no CONNACK there
    // (MQTT-3.1.4-1).
    if (answer_as &&
        (*answer_as == Version::v5 || error.reason == ReasonCode::unsupported_protocol_version)) {
      version_ = *answer_as;
      refuse_connect(error.reason, error.text);
    } else {
      log_fault(error.text);
      finish(net::CloseMode::flush, Farewell::lost);
    }
    return Frame::taken;
  }
  mqtt::Connect& connect = *decoded;
  version_ = connect.version;
  problem_information_ = connect.request_problem_information;
  packet_size_max_ = connect.packet_size_max;
  if (!login_) login_ = std::make_unique<Login>();
  if (!accept_connect(connect)) return Frame::taken;
  if (!login_->admitted) log_in(connect);
  if (state_ == State::closed) return Frame::taken;
  if (login_->admitted) {
    enter(connect, frame.whole);
  } else if (login_->connect.empty()) {
    login_->connect = frame.whole;
  }
  return Frame::taken;
}

/// What can be decided without the session and without knowing who it is; refuses the client if it
/// is not accepted.
bool Connection::accept_connect(mqtt::Connect& connect) {
  if (!login_->admitted && refused_for_memory()) return false;
  if (!has_place_) {
    refuse_connect(ReasonCode::quota_exceeded,
                   "there are limits.connections_max connections; try again later");
    return false;
  }
  return accept_client_id(connect) && accept_will(connect);
}

/// Asks the gate; it has decided when this returns, or the state says what is awaited.
void Connection::log_in(const mqtt::Connect& connect) {
  if (!connect.authentication_method.empty()) return begin_exchange(connect);
  const net::PeerFacts peer = link_->facts();
  const net::Endpoint address = link_->endpoint();
  const net::ListenerTraits& listener = link_->listener();
  auth::ConnectFacts facts{
      .client_id = connect.client_id,
      .user_name = connect.user_name,
      .password = connect.password,
      .peer = peer,
      .address = address,
      .listener = listener.url,
      .allow_anonymous = listener.allow_anonymous,
      .local = listener.local,
      .version = version_,
  };
  auto begun = services_.gate.admit(facts, *this);
  if (begun.decided) return take_admission(std::move(*begun.decided));
  login_->ticket = begun.ticket;
  state_ = State::verifying;
  update_reading();
}

/// Notes who it is, or refuses the client.
void Connection::take_admission(auth::Admission admission) {
  if (failed(admission.reason)) {
    return refuse_connect(admission.reason, admission.text, admission.fault);
  }
  login_->admitted = true;
  auth::Identity& identity = admission.identity;
  const bool anonymous = identity.method == auth::Method::none && identity.user_name.empty();
  if (anonymous && !identity.grants) return;
  login_->identity = std::make_unique<auth::Identity>(std::move(identity));
}

void Connection::on_admission(auth::Admission admission) {
  const boost::intrusive_ptr<Connection> self(this);
  LINNET_ASSERT(state_ == State::verifying);
  login_->ticket = 0;
  take_admission(std::move(admission));
  if (state_ != State::closed) go_on_connecting();
}

void Connection::go_on_connecting() {
  const boost::intrusive_ptr<Connection> self(this);
  LINNET_ASSERT(login_ && login_->admitted);
  state_ = State::greeting;
  const auth::Secret packet(std::move(login_->connect));
  const auto framed = mqtt::next_frame(packet.view(), kPacketSizeMax);
  LINNET_ASSERT(framed.state == mqtt::Framed::State::whole);
  on_connect(framed.frame);
  if (state_ != State::closed) update_reading();
}

/// The client is known: to its session, or to the shard that has it.
void Connection::enter(mqtt::Connect& connect, std::string_view packet) {
  if (!services_.peers.is_home(connect.client_id)) {
    login_->connect = packet;
    state_ = State::moving;
    return services_.peers.move_home(*this, connect.client_id);
  }
  // The users may have changed while the login was verified, or while the link moved.
  if (const char* fault = no_longer_welcome(login_->identity.get())) {
    return refuse_connect(ReasonCode::not_authorized, fault);
  }
  if (!may_publish_will(connect)) return;
  take_terms(connect);
  if (!join_session(connect, expiry_of(connect))) return;
  answer_connect(connect);
  login_.reset();
}

bool Connection::accept_client_id(mqtt::Connect& connect) {
  if (!connect.client_id.empty()) return true;
  if (version_ == Version::v3_1 || (version_ == Version::v3_1_1 && !connect.clean_start)) {
    refuse_connect(
        ReasonCode::client_identifier_not_valid,  // MQTT-3.1.3-8
        "the client identifier is empty; send one, or set Clean Session with MQTT 3.1.1");
    return false;
  }
  std::string& assigned = login_->assigned_id;
  while (assigned.empty() || !services_.peers.is_home(assigned)) {
    assigned = make_client_id(services_.random);
  }
  connect.client_id = assigned;
  return true;
}

bool Connection::accept_will(const mqtt::Connect& connect) {
  if (!connect.will) return true;
  const mqtt::Will& will = *connect.will;
  const Limits& limits = services_.limits();
  if (will.qos > limits.qos_max) {  // MQTT-3.2.2-12
    refuse_connect(ReasonCode::qos_not_supported, "the Will's QoS is above limits.qos_max");
  } else if (will.retain && !limits.retain_available) {  // MQTT-3.2.2-13
    refuse_connect(ReasonCode::retain_not_supported,
                   "the Will is to be retained, but limits.retain_available is false");
  } else if (!is_topic_name(will.topic, {limits.topic_length_max, limits.topic_levels_max}) ||
             is_sys_topic(will.topic)) {
    refuse_connect(ReasonCode::topic_name_invalid,
                   "the Will's topic is not one that may be published to");
  } else if (services_.config().check_payload_format && will.properties.payload_is_utf8 &&
             !is_utf8(will.payload)) {
    refuse_connect(ReasonCode::payload_format_invalid, "the Will's payload is not UTF-8 text");
  } else {
    return true;
  }
  return false;
}

void Connection::take_terms(const mqtt::Connect& connect) {
  const Limits& limits = services_.limits();
  send_quota_ = version_ == Version::v5 ? connect.receive_maximum : std::uint16_t{65'535};
  keep_alive_s_ = connect.keep_alive_s;
  const std::uint16_t keep_alive_max = limits.keep_alive_max_s;
  if (version_ == Version::v5 && keep_alive_max != 0 &&
      (keep_alive_s_ == 0 || keep_alive_s_ > keep_alive_max)) {
    keep_alive_s_ = keep_alive_max;
  }
  const std::uint16_t aliases = std::min(connect.topic_alias_max, limits.topic_alias_max_outgoing);
  if (aliases > 0) outgoing_aliases_ = std::make_unique<OutgoingAliases>(aliases);
}

std::uint32_t Connection::expiry_of(const mqtt::Connect& connect) const noexcept {
  const std::uint32_t expiry_max = services_.limits().session_expiry_max_s;
  if (version_ == Version::v5) return std::min(connect.session_expiry_s, expiry_max);
  return connect.clean_start ? 0 : expiry_max;
}

/// A Will is published in the client's name, so that it must be allowed to, like any message.
bool Connection::may_publish_will(const mqtt::Connect& connect) {
  const auth::Rules& rules = services_.policy()->rules();
  static const auth::Identity kAnonymous;
  const auth::Identity& identity = login_->identity ? *login_->identity : kAnonymous;
  if (!connect.will || !rules.concern(identity)) return true;
  const mqtt::Will& will = *connect.will;
  const auth::Subject subject{identity, connect.client_id};
  const auto decision =
      rules.decide(subject, {auth::Action::publish, will.topic, will.qos, will.retain, false});
  if (!decision.denied()) return true;
  constexpr const char* kText = "the client must not publish to its Will's topic";
  refuse_connect(ReasonCode::not_authorized, kText,
                 cat(kText, ": ", rules.name_of(subject, decision)));
  return false;
}

/// Takes a place among the connections of its user.
bool Connection::accept_user(const Session* session, const auth::AccountPtr& account,
                             auth::Place& place) {
  if (!account) return true;
  const Limits& limits = services_.limits();
  const Rates& rates = services_.config().rates;
  // A client that comes back takes the place of its old connection.
  const bool replaces =
      session != nullptr && session->connection() != nullptr && session->account() == account;
  const std::uint32_t max = limits.connections_per_user_max;
  if (!place.take(account, replaces && max != 0 ? max + 1 : max)) {
    refuse_connect(ReasonCode::quota_exceeded,
                   "the user has limits.connections_per_user_max connections");
    return false;
  }
  const BucketTerms terms{rates.user.connections, static_cast<std::uint64_t>(rates.burst.count())};
  if (account->connects.ask(terms, 1, services_.now_ms()) > 0) {
    refuse_connect(ReasonCode::connection_rate_exceeded,
                   "the user's clients connect more often than rates.user.connections allows");
    return false;
  }
  (void)account->connects.spend(terms, 1, services_.now_ms());
  return true;
}

/// Takes a place among the kept sessions of its user, unless the session has one that stays.
bool Connection::accept_kept_session(const Session* session, bool clean_start,
                                     const auth::AccountPtr& account, auth::Place& place) {
  const bool has_one = session != nullptr && session->kept() && session->account() == account;
  if (has_one && !clean_start) return true;
  // The session that a clean start ends leaves its place to the new one.
  if (place.take(account, has_one ? 0 : services_.limits().sessions_per_user_max)) return true;
  refuse_connect(ReasonCode::quota_exceeded,
                 "the user has limits.sessions_per_user_max kept sessions; connect with a clean "
                 "session");
  return false;
}

/// Takes a place among the connections of its address, if those are limited.
bool Connection::accept_address(const Session* session) {
  const std::uint32_t max = services_.limits().connections_per_address_max;
  if (max == 0 || address_) return true;
  auto account = services_.gate.accounts().of_address(link_->endpoint());
  if (!account) return true;
  // A client that comes back takes the place of its old connection, which ends soon after.
  const bool replaces = session != nullptr && session->connection() != nullptr &&
                        session->connection()->address_ == account;
  if (!auth::take_one(account->connections, replaces ? max + 1 : max)) {
    refuse_connect(ReasonCode::quota_exceeded,
                   "its address has limits.connections_per_address_max connections");
    return false;
  }
  address_ = std::move(account);
  return true;
}

/// Makes the session of an earlier connection free; null if it has ended with it. False if it is
/// another user's.
bool Connection::take_over_session(Session*& session, std::string_view client_id) {
  if (session == nullptr) return true;
  const std::string_view owner = session->user_name();
  const std::string_view user =
      login_->identity ? std::string_view(login_->identity->user_name) : std::string_view();
  if (!owner.empty() && owner != user) {
    refuse_connect(ReasonCode::not_authorized,
                   "the session of this client identifier belongs to another user");
    return false;
  }
  if (session->connection() == nullptr) return true;
  session->connection()->take_over();
  session = services_.peers.find_session(client_id);  // one that is not kept has ended by now
  return true;
}

/// Finds or makes the session and takes it over (MQTT-3.1.4-3, MQTT-3.1.2-4, -5, -6).
bool Connection::join_session(const mqtt::Connect& connect, std::uint32_t expiry_s) {
  auto& peers = services_.peers;
  Session* session = peers.find_session(connect.client_id);
  auto account = services_.gate.accounts().of_user(
      login_->identity ? std::string_view(login_->identity->user_name) : std::string_view());
  auth::UserPlaces places;
  if (!accept_user(session, account, places.connection) || !accept_address(session)) return false;
  if (expiry_s != 0 &&
      !accept_kept_session(session, connect.clean_start, account, places.session)) {
    return false;
  }
  const bool was_kept = session != nullptr && session->kept();
  if (expiry_s != 0 && !was_kept && !peers.take_kept_session()) {
    refuse_connect(ReasonCode::quota_exceeded,
                   "there are limits.sessions_max kept sessions; connect with a clean session");
    return false;
  }
  if (!take_over_session(session, connect.client_id)) {
    if (expiry_s != 0 && !was_kept) peers.give_back_kept_session();
    return false;
  }
  if (session != nullptr && connect.clean_start) {
    session->end();
    session = nullptr;
    // The old session gave its place back; the new one takes one of its own.
    if (expiry_s != 0 && was_kept && !peers.take_kept_session()) {
      refuse_connect(ReasonCode::quota_exceeded, "there are limits.sessions_max kept sessions");
      return false;
    }
  }
  if (session != nullptr && !session->load()) {
    if (expiry_s != 0 && !was_kept) peers.give_back_kept_session();
    refuse_connect(ReasonCode::server_unavailable,
                   "the store can't be read at the moment; try again later");
    return false;
  }
  const bool present = session != nullptr;
  connack_ = std::make_unique<PendingConnack>();
  connack_->packet.session_present = present;
  connack_->concerns_store = was_kept || expiry_s != 0;
  session_ = present ? session : &peers.create_session(connect.client_id);
  session_->attach(*this, expiry_s, store_will(connect));
  session_->belong_to(std::move(login_->identity), std::move(account), places);
  state_ = State::open;
  ++services_.counters.clients_connected;
  ++services_.counters.connections_total;
  link_->let_in();
  note_rates();
  return true;
}

/// Owes the CONNACK: it leaves when what it promises of a kept session is durable.
void Connection::answer_connect(const mqtt::Connect& connect) {
  const Limits& limits = services_.limits();
  mqtt::Connack& packet = connack_->packet;
  connack_->assigned_id = login_->assigned_id;
  packet.assigned_client_id = connack_->assigned_id;
  if (login_->scram) {  // MQTT-4.12.0-5
    connack_->authentication_data = std::move(login_->last_data);
    packet.authentication_method = auth::kScramMethod;
    packet.authentication_data = connack_->authentication_data;
  }
  if (version_ == Version::v5 && session_->expiry_s() != connect.session_expiry_s) {
    packet.session_expiry_s = session_->expiry_s();
  }
  packet.receive_maximum = limits.receive_maximum;
  packet.qos_max = limits.qos_max;
  packet.retain_available = limits.retain_available;
  packet.packet_size_max = limits.packet_size_max;
  packet.topic_alias_max = limits.topic_alias_max;
  told_receive_maximum_ = limits.receive_maximum;
  told_packet_size_max_ = limits.packet_size_max;
  told_topic_alias_max_ = limits.topic_alias_max;
  told_qos_max_ = limits.qos_max;
  told_retain_available_ = limits.retain_available;
  if (keep_alive_s_ != connect.keep_alive_s) packet.server_keep_alive_s = keep_alive_s_;
  if (connect.request_response_information && connect.client_id.size() <= kResponseIdMax &&
      !has_wildcard(connect.client_id)) {
    connack_->response_information = cat("response/", connect.client_id);
    packet.response_information = connack_->response_information;
  }
  arm_keep_alive();
  OperationId operation = 0;
  if (connack_->concerns_store) {
    operation = services_.peers.open_operation(*this);
    session_->save_connect(version_, operation);
    if (services_.peers.seal(operation)) operation = 0;
  }
  if (log::enabled(log::Level::debug, "session")) {
    const std::string_view user = session_->user_name();
    log::debug("session", cat(name(), " has connected with ", name_of(version_),
                              user.empty() ? "" : " as \"", user, user.empty() ? "" : "\""));
  }
  owe({operation, mqtt::PacketType::connack, ReasonCode::success, 0, nullptr});
}

void Connection::refuse_connect(ReasonCode reason, std::string_view text, std::string_view fault) {
  log_fault(cat("was refused: ", fault.empty() ? text : fault, " (", name_of(reason), ")"));
  mqtt::Connack packet;
  packet.reason = reason;
  if (problem_information_) packet.reason_string = text;
  std::string bytes;
  mqtt::append(bytes, packet, version_);
  if (!fits(bytes.size())) {
    bytes.clear();
    packet.reason_string = {};
    mqtt::append(bytes, packet, version_);
  }
  if (fits(bytes.size())) send_bytes(bytes);
  finish(net::CloseMode::flush, Farewell::without_will);
}

}  // namespace linnet::session
