#include "auth/http_cache.hpp"

#include <utility>

namespace linnet::auth {

const Identity* HttpCache::find(const QuestionKey& key, std::uint64_t now_ms, std::uint64_t now_s) {
  const auto place = places_.find(key);
  if (place == places_.end()) return nullptr;
  const auto entry = place->second;
  const std::uint64_t ends_s = entry->identity.grants ? entry->identity.grants->expires_at_s : 0;
  if (now_ms >= entry->ends_ms || (ends_s != 0 && now_s >= ends_s)) {
    drop(entry);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return &entry->identity;
}

void HttpCache::put(Entry entry) {
  if (const auto known = places_.find(entry.key); known != places_.end()) drop(known->second);
  if (entry.weight > weight_max_ || count_max_ == 0) return;
  weight_ += entry.weight;
  entries_.push_front(std::move(entry));
  places_.emplace(entries_.front().key, entries_.begin());
  shrink();
}

void HttpCache::squeeze(bool is_short) noexcept {
  constexpr std::size_t kShortPart = 16;
  part_ = is_short ? kShortPart : 1;
  shrink();
}

void HttpCache::shrink() noexcept {
  while (entries_.size() > count_max_ / part_ || weight_ > weight_max_ / part_)
    drop(std::prev(entries_.end()));
}

void HttpCache::drop(List::iterator entry) noexcept {
  weight_ -= entry->weight;
  places_.erase(entry->key);
  entries_.erase(entry);
}

void HttpCache::clear() noexcept {
  places_.clear();
  entries_.clear();
  weight_ = 0;
}

}  // namespace linnet::auth
