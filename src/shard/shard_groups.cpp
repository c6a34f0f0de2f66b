// Shared subscriptions (MQTT 5.0, section 4.8.2). A group lives on the home shard of its name,
// which alone knows the members; a message goes to one of them by at most one letter.
#include <algorithm>

#include "base/assert.hpp"
#include "base/cat.hpp"
#include "base/hash.hpp"
#include "shard/shard.hpp"

namespace linnet::shard {

namespace {

std::string key_of(const GroupName& name) {
  return cat(name.group, "/", name.filter);
}

/// The rule for a group: the one that names it, else the one for all.
const ShareGroupConfig* rule_of(const Config& config, std::string_view group) {
  const ShareGroupConfig* general = nullptr;
  for (const ShareGroupConfig& rule : config.share_groups) {
    if (rule.group == group) return &rule;
    if (rule.group == "*") general = &rule;
  }
  return general;
}

GroupName name_of(const session::Membership& membership) {
  return {membership.group, membership.filter};
}

}  // namespace

void Group::deliver(Publication& publication, const router::Target&, std::span<const std::uint32_t>,
                    router::Delivering& delivering) {
  shard_.choose_member(*this, publication, delivering);
}

ShardId Shard::home_of_group(const GroupName& name) const noexcept {
  return alone() ? 0 : home_of(cat("$share/", name.group, "/", name.filter), shards_);
}

Group* Shard::find_group(const GroupName& name) {
  const auto found = groups_.find(key_of(name));
  return found == groups_.end() ? nullptr : found->second.get();
}

/// Finds or makes the group; a new one is announced to the other shards.
Group& Shard::group(const GroupName& name, OperationId operation) {
  if (Group* found = find_group(name)) {
    spread_interest(name.filter, false, operation);
    return *found;
  }
  const ShareGroupConfig* rule = rule_of(config(), name.group);
  router::ShareGroup members(rule == nullptr ? ShareStrategy::round_robin : rule->strategy,
                             rule == nullptr ? std::string() : rule->property, random_.u64());
  auto made = std::make_unique<Group>(*this, name, std::move(members));
  Group& group = *made;
  groups_.emplace(key_of(name), std::move(made));
  router::SubscriptionTerms terms;
  terms.qos = Qos::exactly_once;
  terms.retain_as_published = true;
  const auto added = router_.subscribe(name.filter, terms, group, group.subscriptions());
  spread_interest(name.filter, added.first, operation);
  return group;
}

bool Shard::counts_acknowledgements(std::string_view name) const noexcept {
  const ShareGroupConfig* rule = rule_of(config(), name);
  return rule != nullptr && rule->strategy == ShareStrategy::least_inflight;
}

void Shard::join_group(session::Session& session, const session::Membership& membership,
                       OperationId operation) {
  router::ShareMember member;
  member.client_id = session.client_id();
  member.shard = id_;
  member.terms = membership.terms;
  member.connected = session.connection() != nullptr;
  member.kept = session.kept();
  const GroupName name = name_of(membership);
  const ShardId home = home_of_group(name);
  if (home == id_) return join(name, std::move(member), operation);
  add_part(operation);
  post(home, GroupJoinLetter{name, std::move(member), {id_, operation}});
}

void Shard::join(const GroupName& name, router::ShareMember member, OperationId operation) {
  group(name, operation).members().join(std::move(member));
}

void Shard::on(GroupJoinLetter letter) {
  const OperationId relay = open(Operation::Kind::relay);
  operations_.find(relay)->reply = letter.reply;
  join(letter.name, std::move(letter.member), relay);
  confirm_interest(relay);
  operations_.find(relay)->held = false;
  complete(relay, true);
}

void Shard::leave_group(session::Session& session, const session::Membership& membership) {
  const GroupName name = name_of(membership);
  const ShardId home = home_of_group(name);
  if (home == id_) return leave(name, session.client_id());
  post(home, GroupLeaveLetter{name, std::string(session.client_id())});
}

void Shard::on(const GroupLeaveLetter& letter) {
  leave(letter.name, letter.client_id);
}

void Shard::leave(const GroupName& name, std::string_view client_id) {
  Group* group = find_group(name);
  if (group == nullptr || !group->members().leave(client_id) || !group->members().empty()) return;
  router::Subscription& subscription = *group->subscriptions().first;
  const bool last = router_.unsubscribe(subscription, group->subscriptions());
  if (last) withdraw_interest(name.filter);
  groups_.erase(key_of(name));
}

void Shard::update_group(session::Session& session, const session::Membership& membership) {
  GroupUpdateLetter letter{name_of(membership), std::string(session.client_id()),
                           session.connection() != nullptr, session.kept()};
  const ShardId home = home_of_group(letter.name);
  if (home == id_) return on(letter);
  post(home, std::move(letter));
}

void Shard::on(const GroupUpdateLetter& letter) {
  Group* group = find_group(letter.name);
  router::ShareMember* member =
      group == nullptr ? nullptr : group->members().find(letter.client_id);
  if (member == nullptr) return;
  member->connected = letter.connected;
  member->kept = letter.kept;
}

/// Whether the member will tell of it when it has got a message of the group.
bool Shard::is_acknowledged(Qos published, const router::ShareMember& member) const {
  return min(min(published, member.terms.qos), config().limits.qos_max) != Qos::at_most_once;
}

/// Gives a publication to one member of a group whose home is here.
void Shard::choose_member(Group& group, Publication& publication, router::Delivering& delivering) {
  router::ShareMember* member = group.members().pick(publication.view());
  if (member == nullptr) return;
  if (is_acknowledged(publication->qos, *member)) ++member->inflight;
  if (member->shard == id_) {
    const bool taken = deliver_to_member(group.name(), member->client_id, publication, delivering);
    LINNET_ASSERT(taken);  // members of this shard join and leave at once
    return;
  }
  ++delivering.receivers;
  GroupDeliverLetter letter;
  letter.name = group.name();
  letter.client_id = member->client_id;
  letter.message = Message::make(publication.view());
  letter.unit = delivering.unit;
  if (delivering.unit != 0) {
    letter.reply = {id_, current_operation()};
    add_part(letter.reply.operation);
  }
  const std::size_t bytes = letter.message->memory_bytes();
  post(member->shard, std::move(letter), bytes);
}

bool Shard::deliver_to_member(const GroupName& name, std::string_view client_id,
                              Publication& publication, router::Delivering& delivering) {
  session::Session* session = find_session(client_id);
  session::Membership* membership =
      session == nullptr ? nullptr : session->find_membership(name.group, name.filter);
  if (membership == nullptr) return false;
  session->deliver_shared(publication, *membership, delivering);
  return true;
}

void Shard::on(GroupDeliverLetter letter) {
  Publication publication(letter.message);
  router::Delivering delivering;
  delivering.unit = letter.unit;
  begin_saving();
  const bool delivered = deliver_to_member(letter.name, letter.client_id, publication, delivering);
  const bool asks = delivered && letter.offered && !failed(delivering.worst) && !saving_.empty();
  // Handed back by another member, which gives it up only when it is durable here.
  if (asks) return submit_offered(publication, letter.reply);
  submit_saving(publication, delivering);
  if (!delivered) {
    // The member has gone while the letter was on its way.
    GroupBackLetter back{letter.name,  letter.client_id, std::move(letter.message),
                         letter.reply, letter.unit,      letter.offered};
    const ShardId home = home_of_group(letter.name);
    if (home == id_) return choose_another(back);
    return post(home, std::move(back));
  }
  const AnswerLetter answer{0, delivering.worst, 0, delivering.durable_parts};
  reply(letter.reply, answer);
}

void Shard::hand_back(session::Session& session, const session::Membership& membership,
                      MessagePtr message, std::uint64_t sequence) {
  GroupBackLetter letter{
      name_of(membership), std::string(session.client_id()), std::move(message), {}, 0, false};
  // At the broker's end its session keeps it: nobody would hear the answer.
  if (sequence != 0 && stop_ != Stop::running) return session.on_handed_back(sequence, false);
  if (sequence != 0) {
    const OperationId id = open(Operation::Kind::offered);
    Operation& operation = *operations_.find(id);
    operation.session = &session;
    operation.sequence = sequence;
    operation.pending = 1;
    operation.held = false;
    letter.reply = {id_, id};
    letter.offered = true;
  }
  const ShardId home = home_of_group(letter.name);
  if (home == id_) return choose_another(letter);
  letter.message = letter.message->clone();  // this shard's other holders keep theirs
  const std::size_t bytes = letter.message->memory_bytes();
  post(home, std::move(letter), bytes);
}

/// Who takes them may live on any shard. Each of the three reasons to wait ends with room_.
bool Shard::may_hand_back(session::Session& session, std::size_t bytes) {
  const router::ShardMask all = ~router::ShardMask{0} >> (router::kShardsMax - shards_);
  const router::ShardMask others = all & ~(router::ShardMask{1} << id_);
  const bool has_memory = pressure_ < Pressure::spill_backlogs;
  const bool has_store = store_.has_room() && store_.accepts();
  if (has_memory && has_store && has_room(others, bytes)) return true;
  pump_with_room(session);
  return false;
}

void Shard::on(const GroupBackLetter& letter) {
  choose_another(letter);
}

void Shard::choose_another(const GroupBackLetter& letter) {
  Group* group = find_group(letter.name);
  const AnswerLetter nobody{0, ReasonCode::no_matching_subscribers, 0, 0};
  if (group == nullptr) return reply(letter.reply, nobody);
  router::ShareMember* member = group->members().pick(letter.message->view(), letter.client_id);
  // A member whose session is kept goes on being responsible, if no other one is connected.
  if (member == nullptr || (letter.offered && !member->connected)) {
    if (!letter.offered) ++counters_.publish_dropped;
    return reply(letter.reply, nobody);
  }
  auto* former = group->members().find(letter.client_id);
  if (former != nullptr && former->inflight > 0) --former->inflight;
  if (is_acknowledged(letter.message->qos(), *member)) ++member->inflight;
  GroupDeliverLetter deliver{group->name(), member->client_id, letter.message->clone(),
                             letter.reply,  letter.unit,       letter.offered};
  const std::size_t bytes = deliver.message->memory_bytes();
  if (member->shard == id_) return on(std::move(deliver));
  post(member->shard, std::move(deliver), bytes);
}

void Shard::group_acknowledged(session::Session& session, const session::Membership& membership) {
  if (!counts_acknowledgements(membership.group)) return;
  GroupAcknowledgedLetter letter{name_of(membership), std::string(session.client_id())};
  const ShardId home = home_of_group(letter.name);
  if (home == id_) return on(letter);
  post(home, std::move(letter));
}

void Shard::on(const GroupAcknowledgedLetter& letter) {
  Group* group = find_group(letter.name);
  router::ShareMember* member =
      group == nullptr ? nullptr : group->members().find(letter.client_id);
  if (member != nullptr && member->inflight > 0) --member->inflight;
}

}  // namespace linnet::shard
