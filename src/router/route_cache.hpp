// Routes that were asked for lately, by topic name; bounded in bytes. When it is full, those that
// were not asked for again since the last sweep go first (second chance).
//
// Private to this room. It knows nothing of subscriptions: the router says which routes are stale.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

#include "router/change_log.hpp"
#include "router/router.hpp"

namespace linnet::router {

/// One route; its topic's bytes stand behind the object.
struct CachedRoute {
  std::uint64_t hash;
  std::uint64_t right_at;  // ChangeLog::now() when the route was last known to be right
  std::uint32_t topic_size;
  bool used;  // asked for since the last sweep
  Route route;
  PrefixHashes prefixes;
  std::size_t slot;
  std::size_t bytes;

  [[nodiscard]] char* topic_bytes() noexcept { return reinterpret_cast<char*>(this + 1); }
  [[nodiscard]] std::string_view topic() const noexcept {
    return {reinterpret_cast<const char*>(this + 1), topic_size};
  }
};

class RouteCache {
 public:
  explicit RouteCache(std::size_t bytes_max) noexcept : bytes_max_(bytes_max) {}
  RouteCache(const RouteCache&) = delete;
  RouteCache& operator=(const RouteCache&) = delete;
  ~RouteCache() = default;

  /// The entry of a topic, or null. `hash` is the same function of the topic in every call.
  [[nodiscard]] CachedRoute* find(std::string_view topic, std::uint64_t hash) noexcept {
    const auto found = index_.find(Probe{topic, hash});
    return found == index_.end() ? nullptr : *found;
  }
  /// Keeps a copy of a route of a topic that is not in the cache. Null if it alone is beyond the
  /// bound.
  CachedRoute* insert(std::string_view topic, std::uint64_t hash, const Route& route,
                      std::uint64_t right_at);
  void erase(CachedRoute& entry);
  /// Another bound from now on.
  void limit(std::size_t bytes_max);

  [[nodiscard]] bool empty() const noexcept { return slots_.empty(); }
  /// What all entries take in memory, the tables that lead to them included.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct Probe {
    std::string_view topic;
    std::uint64_t hash;
  };
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;
    // All bits of a hash are equally good, so half of them will do where a size has 32.
    std::size_t operator()(const CachedRoute* entry) const noexcept {
      return static_cast<std::size_t>(entry->hash);
    }
    std::size_t operator()(const Probe& probe) const noexcept {
      return static_cast<std::size_t>(probe.hash);
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const CachedRoute* a, const CachedRoute* b) const noexcept { return a == b; }
    bool operator()(const Probe& probe, const CachedRoute* entry) const noexcept {
      return probe.hash == entry->hash && probe.topic == entry->topic();
    }
    bool operator()(const CachedRoute* entry, const Probe& probe) const noexcept {
      return operator()(probe, entry);
    }
  };
  struct Delete {
    void operator()(CachedRoute* entry) const noexcept;
  };
  using Owner = std::unique_ptr<CachedRoute, Delete>;

  [[nodiscard]] static Owner make(std::string_view topic, const Route& route);
  void make_room(std::size_t bytes);

  std::size_t bytes_max_;

  std::vector<Owner> slots_;  // in the order of the sweep
  boost::unordered_flat_set<CachedRoute*, Hash, Equal> index_;
  std::size_t hand_ = 0;  // the slot that the sweep looks at next
  std::size_t bytes_ = 0;
};

}  // namespace linnet::router
