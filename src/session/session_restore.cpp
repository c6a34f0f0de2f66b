// A session between two runs of the broker: what start-up has to know of it, what can wait until
// its client is back, and the broker's end.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "session/session.hpp"

namespace linnet::session {

namespace {

/// After a start no Will is published before this: its client may be on its way back, and so are
/// those that want to know.
constexpr std::uint64_t kWillGraceMs = 3'000;

router::SubscriptionTerms terms_of(const store::StoredSubscription& stored) {
  router::SubscriptionTerms terms;
  terms.id = stored.subscription_id;
  terms.qos = static_cast<Qos>(std::min(stored.options & 3, 2));
  terms.no_local = (stored.options & 4) != 0;
  terms.retain_as_published = (stored.options & 8) != 0;
  terms.retain_handling = static_cast<std::uint8_t>((stored.options >> 4) & 3);
  return terms;
}

}  // namespace

void Session::restore(const store::StoredSession& stored) {
  LINNET_ASSERT(number_ == 0 && connection_ == nullptr);
  const std::uint64_t now = services_.now_ms();
  number_ = stored.number;
  restore_owner(stored.user_name);
  expiry_s_ = stored.expiry_s;
  last_sequence_ = stored.last_sequence;
  kept_counted_ = kept();
  if (kept_counted_) {
    services_.peers.force_kept_session();
    count_session(1);
  }
  unloaded_ = true;
  restored_ = true;
  backlog_.restore(stored.outgoing_messages, stored.outgoing_bytes, stored.last_sequence);
  services_.counters.backlog_messages += backlog_.size();
  services_.counters.backlog_bytes += backlog_.bytes();
  for (const store::StoredSubscription& one : stored.subscriptions)
    restore_subscription(one);
  if (stored.will) {
    will_ = std::make_unique<StoredWill>(StoredWill{Message::make(stored.will->message),
                                                    stored.will->delay_s, stored.will->expiry_s});
    will_saved_ = true;
    // Whoever was connected when the broker ended has lost its connection now.
    const std::uint64_t due = stored.connected || stored.will_due_ms == kNever
                                  ? now + std::uint64_t{will_->delay_s} * 1000
                                  : stored.will_due_ms;
    deadlines().will_due_ms = std::max(due, now + kWillGraceMs);
  }
  Deadlines& life = deadlines();
  life.ends_at_ms = stored.ends_at_ms;
  if (stored.connected) {
    if (expiry_s_ != kNeverExpires) life.ends_at_ms = now + std::uint64_t{expiry_s_} * 1000;
    save_life();
  }
  arm_timer();
}

/// Nobody else may take the session; what its user may do is not asked before the client is back,
/// since the rules may need more of it than its name.
void Session::restore_owner(std::string_view user_name) {
  if (user_name.empty()) return;
  auth::Identity owner;
  owner.user_name = user_name;
  identity_ = std::make_unique<const auth::Identity>(std::move(owner));
  account_ = services_.gate.accounts().of_user(user_name);
}

void Session::restore_subscription(const store::StoredSubscription& stored) {
  const auto [parts, valid] = split_shared_filter(stored.filter);
  if (!valid) return;
  if (parts.group.empty()) {
    const auto added =
        services_.router.subscribe(parts.filter, terms_of(stored), *this, subscriptions_);
    ++services_.counters.subscriptions;
    services_.peers.spread_interest(parts.filter, added.first, 0);
    return;
  }
  Membership& membership = memberships_.add(parts.group, parts.filter);
  membership.terms = terms_of(stored);
  ++services_.counters.shared_subscriptions;
  services_.peers.join_group(*this, membership, 0);
}

bool Session::load() {
  if (!unloaded_) return true;
  std::vector<PacketId> received;
  std::vector<OwedMessage> inflight;
  const bool readable = services_.store.read_received(number_, [&](PacketId id) {
    received.push_back(id);
  }) && services_.store.read_inflight(number_, [&](const store::StoredInflight& stored) {
    const bool released = stored.state == store::OutgoingState::released;
    OwedMessage owed;
    if (!released) owed = owe_stored(stored.message);
    owed.sequence = stored.sequence;
    owed.number = stored.number;
    owed.qos = released ? Qos::exactly_once : owed.qos;
    owed.state = released ? OwedMessage::State::released : OwedMessage::State::sent;
    owed.stored = owed.committed = owed.marked = true;
    inflight.push_back(std::move(owed));
  });
  if (!readable) return false;
  unloaded_ = false;
  for (const PacketId id : received)
    received_.add(id, 0);
  const std::uint64_t messages_before = backlog_.size();
  const std::uint64_t bytes_before = backlog_.bytes();
  for (OwedMessage& owed : inflight) {
    if (restored_ && owed.message) backlog_.restore_without(owed.sequence, owed.bytes());
    inflight_.restore(std::move(owed));
  }
  services_.counters.backlog_messages -= messages_before - backlog_.size();
  services_.counters.backlog_bytes -= bytes_before - backlog_.bytes();
  restored_ = false;
  return true;
}

/// The client is away: what is in flight need not lie in memory, once the store has all of it.
void Session::unload_later() {
  if (inflight_.empty() || !memberships_.empty()) return;
  services_.peers.tell_when_saved(*this);
}

void Session::unload() {
  if (connection_ != nullptr || unloaded_ || !inflight_.rests_in_store()) return;
  if (!services_.store.accepts()) return;  // a record of an identifier may have been given up
  bool busy = false;
  received_.for_each([&busy](const ReceivedIds::Entry& one) { busy = busy || one.operation != 0; });
  if (busy) return;
  inflight_.for_each([this](const OwedMessage& owed) {
    if (owed.message) backlog_.skip(owed.sequence);
  });
  inflight_.clear();
  received_.clear();
  unloaded_ = true;
}

void Session::abandon() {
  ended_ = true;
  const boost::intrusive_ptr<Session> self(this);
  deadlines_.reset();
  services_.peers.forget_session(*this);
  unsubscribe_all();
  if (std::exchange(kept_counted_, false)) count_session(-1);
  backlog_.clear();
  inflight_.clear();
  replays_.reset();
}

}  // namespace linnet::session
