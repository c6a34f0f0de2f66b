// What becomes of a shared group's messages when their member goes away (MQTT 5.0, section 4.8.2):
// they are offered to another one. A member whose session is kept stays responsible until another
// has taken a message, and keeps it, with its packet identifier, if nobody does (MQTT-4.4.0-1).
#include <algorithm>
#include <utility>
#include <vector>

#include "base/cat.hpp"
#include "session/session.hpp"

namespace linnet::session {

namespace {

/// How much of the store one turn looks at to hand it on.
constexpr std::size_t kHandOnLooks = 256;
constexpr std::size_t kHandOnBytes = 64 << 10;

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

/// What rests in the store for a membership that ends is not at hand: see hand_on_some().
void Session::hand_on_later(const Membership& ended) {
  if (!backlog_.any_stored()) return;
  auto& handing_on = access_->review().handing_on;
  if (!handing_on) handing_on = std::make_unique<HandingOn>();
  const auto [after, last] = backlog_.stored_range();
  // If the client was a member before, some of it may have been handed on already.
  HandingOn::Range& range = handing_on->groups[cat(ended.group, '/', ended.filter)];
  range = {std::max(range.after, after), last};
  handing_on->left.after = std::min(handing_on->left.after, after);
  handing_on->left.last = std::max(handing_on->left.last, last);
}

/// The client gets nothing out of the store meanwhile, so that nothing is lost to the group; what
/// it may still receive of it stays with it, too.
Session::HandedOn Session::hand_on_some(std::size_t& budget) {
  if (!services_.peers.may_hand_back(*this, kHandOnBytes)) return HandedOn::waits;
  HandingOn& on = *access_->review().handing_on;
  std::vector<std::pair<Membership, MessagePtr>> offers;  // not given within the store's call
  std::size_t looks = 0;
  std::size_t bytes = 0;
  const bool readable = services_.store.read_outgoing(
      number_, on.left.after, on.left.last, [&](const store::StoredOutgoing& stored) {
        if (!backlog_.any_stored()) return false;
        if (looks == kHandOnLooks || bytes >= kHandOnBytes) return false;
        ++looks;
        on.left.after = stored.sequence;
        if (backlog_.skips(stored.sequence)) return true;  // it is in flight, or not owed any more
        const auto found = on.groups.find(std::string(stored.group));
        if (found == on.groups.end()) return true;
        const auto& [after, last] = found->second;
        if (stored.sequence <= after || stored.sequence > last) return true;
        const auto slash = stored.group.find('/');
        Membership ended;
        ended.group = stored.group.substr(0, slash);
        ended.filter = stored.group.substr(slash + 1);
        bytes += store::owed_bytes(stored.message);
        offers.emplace_back(std::move(ended), Message::make(stored.message));
        return true;
      });
  for (auto& [ended, message] : offers) {
    services_.peers.hand_back(*this, ended, std::move(message), 0);
  }
  budget -= std::min(budget, looks);
  if (!readable) {
    services_.peers.pump_with_room(*this);
    return HandedOn::waits;
  }
  if (looks < kHandOnLooks && bytes < kHandOnBytes) return HandedOn::all;
  budget = 0;  // others get their turn
  return HandedOn::some;
}

void Session::on_handed_back(std::uint64_t sequence, bool taken) {
  if (ended_) return;
  if (OwedMessage* owed = inflight_.find_sequence(sequence)) {
    owed->lent = false;
    if (taken) {
      erase_owed(*owed);
      inflight_.finish(*owed);
    } else {
      give_away_denied(*owed);
    }
  } else if (OwedMessage* waiting = backlog_.find_sequence(sequence)) {
    waiting->lent = false;
    if (taken) {
      erase_owed(*waiting);
      give_up_waiting(sequence);
    } else {
      give_away_denied(*waiting);
    }
  }
  sweep_memberships();
  pump();
}

/// Its membership has ended while it was offered to connected members alone: now any one will do.
void Session::give_away_denied(const OwedMessage& owed) {
  if (owed.group == nullptr || !owed.group->denied) return;
  services_.peers.hand_back(*this, *owed.group, owed.message, 0);
}

}  // namespace linnet::session
