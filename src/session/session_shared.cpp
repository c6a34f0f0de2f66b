// What becomes of a shared group's messages when their member goes away (MQTT 5.0, section 4.8.2):
// they are offered to another one. A member whose session is kept stays responsible until another
// has taken a message, and keeps it, with its packet identifier, if nobody does (MQTT-4.4.0-1).
#include <vector>

#include "session/session.hpp"

namespace linnet::session {

namespace {

struct Offer {
  Membership* group;
  MessagePtr message;
  std::uint64_t sequence;
};

/// MQTT-4.8.2-5: a QoS 2 message that was sent once belongs to this session for good.
bool may_go_elsewhere(const OwedMessage& owed) noexcept {
  if (owed.group == nullptr || owed.lent) return false;
  const bool was_sent = owed.dup || owed.state == OwedMessage::State::sent ||
                        owed.state == OwedMessage::State::released;
  return owed.qos != Qos::exactly_once || !was_sent;
}

}  // namespace

/// The client of a kept session is away. Oldest first: what was sent and not acknowledged, then
/// what was never sent.
void Session::lend_shared() {
  if (memberships_.empty()) return;
  std::vector<Offer> offers;  // an answer may come at once, and change what is iterated here
  const auto lend = [&](OwedMessage& owed) {
    if (!may_go_elsewhere(owed)) return;
    owed.lent = true;
    offers.push_back({owed.group, owed.message, owed.sequence});
  };
  inflight_.for_each(lend);
  backlog_.for_each(lend);
  for (Offer& offer : offers) {
    services_.peers.hand_back(*this, *offer.group, std::move(offer.message), offer.sequence);
  }
}

/// The session has ended, or its membership in one group: nothing comes back.
void Session::give_away_shared(const Membership* only) {
  if (memberships_.empty() && only == nullptr) return;
  const auto give = [&](OwedMessage& owed) {
    if (!may_go_elsewhere(owed) || (only != nullptr && owed.group != only)) return;
    services_.peers.hand_back(*this, *owed.group, owed.message, 0);
  };
  inflight_.for_each(give);
  backlog_.for_each(give);
}

void Session::on_handed_back(std::uint64_t sequence, bool taken) {
  if (ended_) return;
  if (OwedMessage* owed = inflight_.find_sequence(sequence)) {
    owed->lent = false;
    if (taken) {
      erase_owed(*owed);
      inflight_.finish(*owed);
    }
  } else if (OwedMessage* waiting = backlog_.find_sequence(sequence)) {
    waiting->lent = false;
    if (taken) {
      erase_owed(*waiting);
      give_up_waiting(sequence);
    }
  }
  pump();
}

}  // namespace linnet::session
