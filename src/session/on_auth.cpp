// AUTH and the exchange that it carries (MQTT 5.0, sections 3.15 and 4.12): SCRAM-SHA-256, before
// CONNACK and again later.
#include "auth/random_bytes.hpp"
#include "base/assert.hpp"
#include "base/cat.hpp"
#include "base/log.hpp"
#include "session/connection.hpp"

namespace linnet::session {

namespace {

constexpr std::size_t kNonceBytes = 18;

/// Random, printable and without a comma.
std::string make_nonce() {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string nonce;
  for (const char byte : auth::random_bytes(kNonceBytes)) {
    const auto bits = static_cast<unsigned char>(byte);
    nonce += kDigits[bits >> 4];
    nonce += kDigits[bits & 0xF];
  }
  return nonce;
}

}  // namespace

void Connection::begin_exchange(const mqtt::Connect& connect) {
  const auth::PolicyPtr& policy = services_.policy();
  if (connect.authentication_method != auth::kScramMethod || policy->passwords() == nullptr) {
    return refuse_connect(ReasonCode::bad_authentication_method,
                          policy->passwords() == nullptr
                              ? "no authentication method is offered; connect without one"
                              : "the authentication method that is offered is SCRAM-SHA-256");
  }
  login_->policy = policy;
  login_->scram.emplace(*policy->passwords(), services_.gate.decoy_secret(), make_nonce());
  state_ = State::authenticating;
  step(connect.authentication_data);
}

void Connection::on_auth(const mqtt::Frame& frame) {
  if (version_ != Version::v5) {
    return fail({ReasonCode::protocol_error, "AUTH is a packet of MQTT 5 only"});
  }
  const auto decoded = mqtt::decode_auth(frame);
  if (!decoded) return fail(decoded.error());
  const bool greets = state_ == State::authenticating;
  const auth::Identity* identity = session_ ? session_->identity() : nullptr;
  if (!greets && (identity == nullptr || identity->method != auth::Method::scram)) {
    return fail({ReasonCode::protocol_error,
                 "AUTH came on a connection that has no authentication method"});  // MQTT-4.12.1-1
  }
  if (!greets && connack_) {
    return fail({ReasonCode::protocol_error, "AUTH came before CONNACK was sent"});
  }
  if (decoded->method != auth::kScramMethod) {  // MQTT-4.12.0-5, MQTT-4.12.1-1
    return fail(
        {ReasonCode::protocol_error, "AUTH names another authentication method than CONNECT"});
  }
  if (!greets && decoded->reason == ReasonCode::reauthenticate && !login_) {
    return begin_exchange_again(*decoded);
  }
  if (decoded->reason != ReasonCode::continue_authentication || !login_) {
    return fail({ReasonCode::protocol_error, "AUTH does not fit to where the exchange stands"});
  }
  step(decoded->data);
}

void Connection::begin_exchange_again(const mqtt::Auth& auth) {
  const auth::PolicyPtr& policy = services_.policy();
  if (policy->passwords() == nullptr) {
    return fail({ReasonCode::not_authorized, "there is no auth.password_file any more"});
  }
  login_ = std::make_unique<Login>();
  login_->policy = policy;
  login_->scram.emplace(*policy->passwords(), services_.gate.decoy_secret(), make_nonce());
  step(auth.data);
}

void Connection::step(std::string_view data) {
  using Outcome = auth::ScramServer::Step::State;
  if (state_ == State::authenticating) {
    if (const auto banned = services_.gate.refuse_banned(link_->endpoint())) {
      return refuse_connect(banned->reason, banned->text);
    }
  }
  const auto step = login_->scram->next(data);
  switch (step.state) {
    case Outcome::go_on: return send_auth(ReasonCode::continue_authentication, step.data);
    case Outcome::done: return finish_exchange(step);
    case Outcome::failed: return fail_exchange(step);
  }
}

void Connection::finish_exchange(const auth::ScramServer::Step& step) {
  const std::string& user = login_->scram->user_name();
  if (state_ == State::authenticating) {
    auth::Admission admission;
    admission.identity.user_name = user;
    admission.identity.method = auth::Method::scram;
    auth::add_certificate(admission.identity, link_->facts());
    login_->last_data = step.data;
    take_admission(std::move(admission));
    return go_on_connecting();
  }
  if (user != session_->user_name()) {
    return fail({ReasonCode::not_authorized, "re-authentication was for another user"});
  }
  login_.reset();
  send_auth(ReasonCode::success, step.data);
}

void Connection::fail_exchange(const auth::ScramServer::Step& step) {
  if (step.wrong_login) services_.gate.on_wrong_login(link_->endpoint());
  // What exactly was wrong may tell which users there are.
  const std::string fault = cat("SCRAM-SHA-256: ", step.fault);
  const char* const text = step.wrong_login ? "the user name or the password is wrong"
                                            : "the messages of SCRAM-SHA-256 are not well formed";
  if (state_ == State::authenticating) {
    if (const auto banned = services_.gate.refuse_banned(link_->endpoint())) {
      return refuse_connect(banned->reason, banned->text);
    }
    return refuse_connect(
        step.wrong_login ? ReasonCode::bad_user_name_or_password : ReasonCode::not_authorized, text,
        fault);
  }
  log_fault(fault);
  fail({ReasonCode::not_authorized, text});
}

void Connection::send_auth(ReasonCode reason, std::string_view data) {
  mqtt::Auth packet;
  packet.reason = reason;
  packet.method = auth::kScramMethod;
  packet.data = data;
  std::string bytes;
  mqtt::append(bytes, packet);
  if (!fits(bytes.size())) return fail_too_small();
  send_bytes(bytes);
}

}  // namespace linnet::session
