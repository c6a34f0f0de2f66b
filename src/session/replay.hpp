// The retained messages that new subscriptions of one session still have to send (MQTT 5.0, section
// 3.3.1.3). They are read from the store bit by bit, as the client takes them, so that a million of
// them cost no memory; changes that the store does not have yet are laid over it.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/message.hpp"
#include "session/owed.hpp"
#include "session/peers.hpp"

namespace linnet::session {

struct Replay {
  OperationId operation = 0;  // of its SUBSCRIBE
  std::string filter;
  router::SubscriptionTerms terms;
  bool ready = false;  // all shards have sent their overlays
  /// By topic; a message without payload means that there is none retained any more.
  std::map<std::string, MessagePtr, std::less<>> overlay;
  std::string after;  // the last topic that was sent from the store
  bool store_done = false;
};

/// A session has one while a replay is under way.
struct Replays {
  /// By number, which is the order of the subscriptions. At most one for each filter.
  std::map<std::uint32_t, Replay> queue;
  std::unordered_map<std::string, std::uint32_t> by_filter;
  /// Topics (hashed) that were sent live meanwhile: a retained message of theirs would be an older
  /// one. When the set is full, live messages wait instead.
  std::unordered_set<std::uint64_t> live;
  /// Of the topics' hashes: nobody must be able to make two topics look like one.
  std::uint64_t seed = 0;
  static constexpr std::size_t kLiveMax = 4096;

  [[nodiscard]] Replay* find(std::uint32_t number) {
    const auto found = queue.find(number);
    return found == queue.end() ? nullptr : &found->second;
  }
  /// The rest of a replay is sent under the new terms of its subscription.
  void change(const std::string& filter, const router::SubscriptionTerms& terms) {
    const auto found = by_filter.find(filter);
    if (found != by_filter.end()) queue.at(found->second).terms = terms;
  }
  /// True if there was one.
  bool erase(const std::string& filter) {
    const auto found = by_filter.find(filter);
    if (found == by_filter.end()) return false;
    queue.erase(found->second);
    by_filter.erase(found);
    return true;
  }
};

}  // namespace linnet::session
