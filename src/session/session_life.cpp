// The life of a session: attach, detach, Will and expiry (MQTT 5.0, sections 3.1.2.5, 3.1.2.11.2
// and 4.1).
#include <utility>

#include "base/assert.hpp"
#include "session/connection.hpp"
#include "session/session.hpp"

namespace linnet::session {

Session::Session(std::string_view client_id, Services& services)
    : services_(services), client_id_(client_id) {
  ++services_.counters.sessions;
}

Session::~Session() {
  LINNET_ASSERT(subscriptions_.first == nullptr && connection_ == nullptr);
}

void Session::attach(Connection& connection, std::uint32_t expiry_s,
                     std::unique_ptr<StoredWill> will) {
  LINNET_ASSERT(connection_ == nullptr && !ended_);
  connection_ = &connection;
  expiry_s_ = expiry_s;
  if (kept() && number_ == 0) number_ = services_.peers.new_session_number();
  will_ = std::move(will);
  deadlines_.reset();  // MQTT-3.1.3-9: a Will that is still delayed is not sent any more
  inflight_.rewind();
  if (kept() != kept_counted_) {
    if (kept_counted_) services_.peers.give_back_kept_session();
    // The caller has taken the place for a session that is kept from now on.
    kept_counted_ = kept();
    count_session(kept_counted_ ? 1 : -1);
  }
}

void Session::save_connect(Version version, OperationId operation) {
  auto& peers = services_.peers;
  // A session that is not kept has nothing to say; the end of the kept one before it has.
  if (number_ == 0) return peers.wait_for_store(operation);
  peers.save(store::PutSession{number_, std::string(client_id()), std::string(user_name()),
                               expiry_s_, static_cast<std::uint8_t>(version), true, kNever, kNever},
             operation);
  // What the store has refused on an earlier connection: PUBREL is sent again after CONNACK.
  inflight_.for_each([&](const OwedMessage& owed) {
    if (owed.state != OwedMessage::State::released || !owed.stored) return;
    peers.save(
        store::PutInflight{number_, owed.number, owed.sequence, store::OutgoingState::released},
        operation);
  });
  if (will_) {
    peers.save(store::PutWill{number_, will_->message->clone(), will_->delay_s, will_->expiry_s},
               operation);
  } else if (will_saved_) {
    peers.save(store::EraseWill{number_}, operation);
  }
  will_saved_ = will_ != nullptr;
}

/// For a session whose client has gone; nobody waits for it.
void Session::save_life() {
  const Deadlines& due = deadlines();
  services_.peers.save(
      store::PutSession{number_, std::string(client_id()), std::string(user_name()), expiry_s_, 0,
                        false, due.ends_at_ms, due.will_due_ms},
      0);
}

void Session::go_online() {
  online_ = true;
  memberships_.for_each(
      [this](const Membership& one) { services_.peers.update_group(*this, one); });
  pump();
}

void Session::detach(Farewell farewell) {
  LINNET_ASSERT(connection_ != nullptr);
  connection_ = nullptr;
  if (account_) --account_->connections;
  online_ = false;
  if (farewell == Farewell::without_will) will_.reset();
  replays_.reset();
  unconfirmed_.reset();
  deadlines_.reset();
  if (!kept()) return end();
  const std::uint64_t now = services_.now_ms();
  Deadlines& due = deadlines();
  if (expiry_s_ != kNeverExpires) due.ends_at_ms = now + std::uint64_t{expiry_s_} * 1000;
  if (will_) due.will_due_ms = now + std::uint64_t{will_->delay_s} * 1000;
  memberships_.for_each(
      [this](const Membership& one) { services_.peers.update_group(*this, one); });
  lend_shared();
  mark_inflight();
  inflight_.rewind();
  drop_transient();
  rest_backlog();
  if (!will_ && std::exchange(will_saved_, false)) {
    services_.peers.save(store::EraseWill{number_}, 0);
  }
  if (will_ && will_->delay_s == 0) publish_will();
  save_life();
  unload_later();
  arm_timer();
}

void Session::end() {
  LINNET_ASSERT(!ended_);
  ended_ = true;
  const boost::intrusive_ptr<Session> self(this);
  deadlines_.reset();
  services_.peers.forget_session(*this);
  unsubscribe_all();
  memberships_.for_each([this](const Membership& one) { services_.peers.leave_group(*this, one); });
  give_away_shared();
  if (number_ != 0) services_.peers.save(store::EraseSession{number_}, 0);
  if (std::exchange(kept_counted_, false)) {
    services_.peers.give_back_kept_session();
    count_session(-1);
  }
  services_.counters.backlog_messages -= backlog_.size();
  services_.counters.backlog_bytes -= backlog_.bytes();
  backlog_.clear();
  inflight_.clear();
  received_.clear();
  replays_.reset();
  --services_.counters.sessions;
  if (will_) publish_will();
}

void Session::publish_will() {
  const auto will = std::move(will_);
  if (deadlines_) deadlines_->will_due_ms = kNever;
  if (may_publish(*will->message)) {
    if (services_.watch != nullptr) [[unlikely]] {
      tell(Step::will, will->message->view(), will->message->qos());
    }
    services_.peers.publish_later(will->to_publish(services_.now_ms()));
  }
  if (std::exchange(will_saved_, false) && !ended_) {
    services_.peers.save(store::EraseWill{number_}, 0);
  }
}

void Session::publish_undelayed_will() {
  if (will_ && (will_->delay_s == 0 || !kept())) publish_will();
}

void Session::arm_timer() {
  Deadlines& due = deadlines();
  std::uint64_t next = due.ends_at_ms;
  if (due.will_due_ms != kNever && (next == kNever || due.will_due_ms < next)) {
    next = due.will_due_ms;
  }
  if (next == kNever) return due.timer.cancel();
  services_.timers.arm(due.timer, next);
}

void Session::on_timer() {
  const boost::intrusive_ptr<Session> self(this);
  if (connection_ != nullptr) return mark_inflight();
  const std::uint64_t now = services_.now_ms();
  const Deadlines& due = deadlines();
  if (will_ && due.will_due_ms != kNever && due.will_due_ms <= now) publish_will();
  if (due.ends_at_ms != kNever && due.ends_at_ms <= now) {
    ++services_.counters.clients_expired;
    return end();
  }
  arm_timer();
}

}  // namespace linnet::session
