// Who can receive messages: what the router knows of a session, of a shared group, and later of an
// HTTP subscriber. One shard's thread only.
#pragma once

#include <cstdint>
#include <span>

#include "base/message.hpp"

namespace linnet::router {

class Subscriber;

/// Under which terms a subscriber gets a message: what its matching subscriptions say together.
struct Target {
  Subscriber* subscriber = nullptr;
  std::uint32_t ids_begin = 0;  // its subscription identifiers, in Route::ids
  std::uint16_t ids_count = 0;
  Qos qos = Qos::at_most_once;  // the highest of its matching subscriptions
  bool no_local = false;
  bool retain_as_published = false;
};

/// A publication on its way through the subscribers of one shard: what they have to know of it and
/// what they say about it.
struct Delivering {
  /// Names this publication towards the store's writer (see store::UnitId); 0 if nothing waits.
  std::uint64_t unit = 0;
  std::uint32_t receivers = 0;      // how many took it
  std::uint32_t durable_parts = 0;  // how many records went to the store under `unit`
  ReasonCode worst = ReasonCode::success;
};

class Subscriber {
 public:
  /// Takes the message, or counts it as dropped, or makes delivering.worst a refusal. Must not
  /// change any subscription, nor end any subscriber: both wait for the end of the turn.
  virtual void deliver(Publication& publication, const Target& target,
                       std::span<const std::uint32_t> subscription_ids, Delivering& delivering) = 0;
  /// Whether a message with QoS 1 or 2 for it may have to go to the store.
  [[nodiscard]] virtual bool durable() const noexcept = 0;

 protected:
  ~Subscriber() = default;
};

}  // namespace linnet::router
