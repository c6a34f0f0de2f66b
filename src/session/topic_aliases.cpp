#include "session/topic_aliases.hpp"

#include "base/hash.hpp"

namespace linnet::session {

namespace {

/// An alias takes 3 bytes beside the topic when it is set, and 3 instead of it afterwards.
constexpr std::size_t kTopicSizeMin = 4;
constexpr std::uint8_t kScoreMax = 15;

}  // namespace

void IncomingAliases::set(std::uint16_t alias, std::string_view topic) {
  if (topics_.size() < alias) topics_.resize(alias);
  topics_[alias - 1U] = topic;
}

std::string_view IncomingAliases::find(std::uint16_t alias) const noexcept {
  if (alias == 0 || alias > topics_.size()) return {};
  return topics_[alias - 1U];
}

OutgoingAliases::Choice OutgoingAliases::choose(std::string_view topic) {
  if (topic.size() < kTopicSizeMin || alias_max_ == 0) return {};
  const std::uint64_t hash = hash64(topic);
  for (std::size_t at = 0; at < places_.size(); ++at) {
    Place& place = places_[at];
    if (place.hash != hash || place.topic != topic) continue;
    if (place.score < kScoreMax) ++place.score;
    return {static_cast<std::uint16_t>(at + 1), false};
  }
  if (places_.size() < alias_max_) {
    places_.push_back({std::string(topic), hash, 1});
    return {static_cast<std::uint16_t>(places_.size()), true};
  }
  const std::uint16_t at = hand_;
  hand_ = static_cast<std::uint16_t>((hand_ + 1U) % alias_max_);
  Place& place = places_[at];
  if (place.score > 0) {
    --place.score;
    return {};
  }
  place = {std::string(topic), hash, 1};
  return {static_cast<std::uint16_t>(at + 1), true};
}

}  // namespace linnet::session
