#include "router/change_log.hpp"

#include "base/hash.hpp"
#include "base/topic.hpp"

namespace linnet::router {

namespace {

std::uint32_t prefix_hash(std::string_view prefix) noexcept {
  return static_cast<std::uint32_t>(hash64(prefix)) | 1;  // never 0: that stands for no prefix
}

}  // namespace

PrefixHashes prefix_hashes(std::string_view topic) noexcept {
  PrefixHashes hashes{};
  std::size_t end = 0;
  for (std::size_t count = 1; count <= kPrefixLevels; ++count) {
    end = topic.find('/', end);
    hashes[count] = prefix_hash(topic.substr(0, end));
    if (end == std::string_view::npos) break;
    ++end;
  }
  return hashes;
}

ChangeLog::Prefix ChangeLog::literal_prefix(std::string_view filter) noexcept {
  std::size_t end = 0;
  std::uint32_t count = 0;
  for (TopicLevels levels(filter); count < kPrefixLevels && levels.next(); ++count) {
    if (levels.level() == "+" || levels.level() == "#") break;
    end += levels.level().size() + (count > 0 ? 1 : 0);
  }
  return {count == 0 ? 0 : prefix_hash(filter.substr(0, end)), count};
}

void ChangeLog::add(std::string_view filter) {
  const std::size_t slot = now_ % kChangesMax;
  prefixes_[slot] = literal_prefix(filter);
  // A new string, so that a long filter's memory goes with it.
  filters_[slot] = std::string(filter);
  ++now_;
}

bool ChangeLog::concerns(std::string_view topic, const PrefixHashes& prefixes,
                         std::uint64_t since) const noexcept {
  if (now_ - since > kChangesMax) return true;
  std::size_t comparisons = 0;
  for (std::uint64_t change = since; change != now_; ++change) {
    const std::size_t slot = change % kChangesMax;
    if (prefixes[prefixes_[slot].levels] != prefixes_[slot].hash) continue;
    if (++comparisons > kComparisonsMax || topic_matches(filters_[slot], topic)) return true;
  }
  return false;
}

}  // namespace linnet::router
