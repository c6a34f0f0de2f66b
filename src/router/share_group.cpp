#include "router/share_group.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/assert.hpp"
#include "base/hash.hpp"
#include "mqtt/property.hpp"

namespace linnet::router {

namespace {

std::uint64_t mix(std::uint64_t value) noexcept {
  value = (value ^ (value >> 33)) * 0xFF51'AFD7'ED55'8CCDULL;
  value = (value ^ (value >> 29)) * 0xC4CE'B9FE'1A85'EC53ULL;
  return value ^ (value >> 32);
}

/// The value of the first User Property of that name.
std::optional<std::string_view> find_user_property(std::string_view properties,
                                                   std::string_view name) noexcept {
  mqtt::PropertyReader reader(properties, mqtt::place_of(mqtt::PacketType::publish));
  while (reader.next()) {
    const auto& property = reader.value();
    if (property.id == mqtt::Property::user_property && property.text == name) {
      return property.second;
    }
  }
  return std::nullopt;
}

}  // namespace

ShareGroup::ShareGroup(ShareStrategy strategy, std::string property, std::uint64_t seed)
    : strategy_(strategy), property_(std::move(property)), random_(seed) {}

std::size_t ShareGroup::position_of(std::string_view client_id) const noexcept {
  const auto found = std::lower_bound(
      members_.begin(), members_.end(), client_id,
      [](const ShareMember& member, std::string_view id) { return member.client_id < id; });
  return static_cast<std::size_t>(found - members_.begin());
}

void ShareGroup::join(ShareMember member) {
  if (ShareMember* existing = find(member.client_id)) {
    member.inflight = existing->inflight;
    *existing = std::move(member);
    return;
  }
  const std::size_t position = position_of(member.client_id);
  const auto offset = static_cast<std::ptrdiff_t>(position);
  hashes_.insert(hashes_.begin() + offset, hash64(member.client_id));
  members_.insert(members_.begin() + offset, std::move(member));
  // Whose turn it was keeps it.
  if (position < next_) ++next_;
}

bool ShareGroup::leave(std::string_view client_id) {
  if (find(client_id) == nullptr) return false;
  const std::size_t position = position_of(client_id);
  const auto offset = static_cast<std::ptrdiff_t>(position);
  if (sticky_ == client_id) sticky_.clear();
  hashes_.erase(hashes_.begin() + offset);
  members_.erase(members_.begin() + offset);
  if (position < next_) --next_;
  return true;
}

ShareMember* ShareGroup::find(std::string_view client_id) noexcept {
  const std::size_t position = position_of(client_id);
  if (position == members_.size() || members_[position].client_id != client_id) return nullptr;
  return &members_[position];
}

bool ShareGroup::empty() const noexcept {
  return members_.empty();
}

std::size_t ShareGroup::size() const noexcept {
  return members_.size();
}

bool ShareGroup::is_candidate(std::size_t position, const Choice& choice) const noexcept {
  const ShareMember& member = members_[position];
  if (position == choice.except) return false;
  return choice.connected ? member.connected : member.kept && !member.connected;
}

ShareMember* ShareGroup::pick(const MessageView& message, std::string_view except) {
  ShareMember* handed_back = except.empty() ? nullptr : find(except);
  Choice choice{kNobody, true};
  if (handed_back != nullptr) choice.except = position_of(except);
  for (const bool connected : {true, false}) {
    choice.connected = connected;
    const std::size_t position = pick_among(message, choice);
    if (position != kNobody) return &members_[position];
  }
  if (handed_back != nullptr && (handed_back->connected || handed_back->kept)) return handed_back;
  return nullptr;
}

std::size_t ShareGroup::pick_among(const MessageView& message, const Choice& choice) {
  switch (strategy_) {
    case ShareStrategy::round_robin: return pick_next(choice);
    case ShareStrategy::random: return pick_random(choice);
    case ShareStrategy::sticky: return pick_sticky(choice);
    case ShareStrategy::least_inflight: return pick_least_inflight(choice);
    case ShareStrategy::hash_clientid: return pick_by_hash(hash64(message.publisher), choice);
    case ShareStrategy::hash_topic: return pick_by_hash(hash64(message.topic), choice);
    case ShareStrategy::hash_property: {
      const auto value = find_user_property(message.properties, property_);
      return pick_by_hash(hash64(value.value_or(message.publisher)), choice);
    }
  }
  LINNET_ASSERT(false);
  return kNobody;
}

std::size_t ShareGroup::pick_next(const Choice& choice) noexcept {
  for (std::size_t step = 0; step < members_.size(); ++step) {
    const std::size_t position = (next_ + step) % members_.size();
    if (!is_candidate(position, choice)) continue;
    next_ = position + 1;
    return position;
  }
  return kNobody;
}

std::size_t ShareGroup::pick_random(const Choice& choice) noexcept {
  std::size_t candidates = 0;
  for (std::size_t position = 0; position < members_.size(); ++position) {
    if (is_candidate(position, choice)) ++candidates;
  }
  if (candidates == 0) return kNobody;
  std::uint64_t left = random_.below(candidates);
  for (std::size_t position = 0;; ++position) {
    if (is_candidate(position, choice) && left-- == 0) return position;
  }
}

std::size_t ShareGroup::pick_sticky(const Choice& choice) {
  const std::size_t position = position_of(sticky_);
  const bool is_member = position < members_.size() && members_[position].client_id == sticky_;
  if (is_member && is_candidate(position, choice)) return position;
  const std::size_t next = pick_next(choice);
  if (next != kNobody) sticky_ = members_[next].client_id;
  return next;
}

std::size_t ShareGroup::pick_least_inflight(const Choice& choice) noexcept {
  std::size_t best = kNobody;
  for (std::size_t step = 0; step < members_.size(); ++step) {
    const std::size_t position = (next_ + step) % members_.size();
    if (!is_candidate(position, choice)) continue;
    if (best == kNobody || members_[position].inflight < members_[best].inflight) best = position;
  }
  // Equals take turns.
  if (best != kNobody) next_ = best + 1;
  return best;
}

std::size_t ShareGroup::pick_by_hash(std::uint64_t key, const Choice& choice) const noexcept {
  // Every member draws a number from the key and the highest wins: when a member comes or goes,
  // only the keys that it wins move.
  std::size_t best = kNobody;
  std::uint64_t best_drawn = 0;
  for (std::size_t position = 0; position < members_.size(); ++position) {
    if (!is_candidate(position, choice)) continue;
    const std::uint64_t drawn = mix(hashes_[position] ^ key);
    if (best != kNobody && drawn <= best_drawn) continue;
    best = position;
    best_drawn = drawn;
  }
  return best;
}

}  // namespace linnet::router
