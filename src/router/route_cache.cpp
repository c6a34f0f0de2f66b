#include "router/route_cache.hpp"

#include <new>
#include <utility>

#include "base/assert.hpp"

namespace linnet::router {

namespace {

// The slot, the place in the index at a middling load, and what the allocator adds.
constexpr std::size_t kOverheadBytes = sizeof(void*) + 16 + 32;

std::size_t memory_bytes(std::string_view topic, const Route& route) noexcept {
  return sizeof(CachedRoute) + kOverheadBytes + topic.size() +
         route.targets.size() * sizeof(Target) + route.ids.size() * sizeof(std::uint32_t);
}

}  // namespace

void RouteCache::Delete::operator()(CachedRoute* entry) const noexcept {
  entry->~CachedRoute();
  ::operator delete(entry);
}

RouteCache::Owner RouteCache::make(std::string_view topic, const Route& route) {
  // One block, so that a hit compares the topic in memory that it has touched already.
  void* block = ::operator new(sizeof(CachedRoute) + topic.size());
  Owner entry(new (block) CachedRoute{});
  topic.copy(entry->topic_bytes(), topic.size());
  entry->topic_size = static_cast<std::uint32_t>(topic.size());
  entry->route = route;
  entry->prefixes = prefix_hashes(topic);
  return entry;
}

CachedRoute* RouteCache::insert(std::string_view topic, std::uint64_t hash, const Route& route,
                                std::uint64_t right_at) {
  const std::size_t bytes = memory_bytes(topic, route);
  if (bytes > bytes_max_) return nullptr;
  make_room(bytes);
  slots_.push_back(make(topic, route));
  CachedRoute& entry = *slots_.back();
  entry.hash = hash;
  entry.right_at = right_at;
  entry.slot = slots_.size() - 1;
  entry.bytes = bytes;
  const bool inserted = index_.insert(&entry).second;
  LINNET_ASSERT(inserted);
  bytes_ += bytes;
  return &entry;
}

void RouteCache::erase(CachedRoute& entry) {
  index_.erase(&entry);
  bytes_ -= entry.bytes;
  const std::size_t slot = entry.slot;
  slots_.back()->slot = slot;
  std::swap(slots_[slot], slots_.back());
  slots_.pop_back();
}

void RouteCache::limit(std::size_t bytes_max) {
  bytes_max_ = bytes_max;
  make_room(0);
  if (!slots_.empty()) return;
  slots_.shrink_to_fit();
  index_.rehash(0);
}

void RouteCache::make_room(std::size_t bytes) {
  while (bytes_ + bytes > bytes_max_) {
    if (hand_ >= slots_.size()) hand_ = 0;
    CachedRoute& entry = *slots_[hand_];
    if (!entry.used) {
      erase(entry);
      continue;
    }
    entry.used = false;
    ++hand_;
  }
}

}  // namespace linnet::router
