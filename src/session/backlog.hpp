// The messages that a session is owed beyond its in-flight window, in order, bounded in number and
// bytes. What is committed lies in the store and costs no memory here: only what comes next for a
// client that is there (the head) and what the store does not have yet (the tail) are at hand.
//
//   head (loaded again)  |  stored (known by number only)  |  tail (new)
//
// A session that the store does not keep has a tail alone. One pointer, and no memory at all before
// the first message.
#pragma once

#include <memory>
#include <unordered_set>

#include "base/ring.hpp"
#include "session/owed.hpp"

namespace linnet::session {

struct BacklogLimits {
  std::uint64_t messages_max = 0;
  std::uint64_t bytes_max = 0;
};

class Backlog {
 public:
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::uint64_t size() const noexcept {
    if (!body_) return 0;
    const Stored* stored = body_->stored.get();
    return body_->tail.size() + (stored ? stored->head.size() + stored->messages : 0);
  }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return body_ ? body_->bytes : 0; }
  [[nodiscard]] bool fits(std::size_t bytes, const BacklogLimits& limits) const noexcept {
    return size() < limits.messages_max && this->bytes() + bytes <= limits.bytes_max;
  }

  void push(OwedMessage&& message) {
    Body& body = this->body();
    body.bytes += message.bytes();
    body.tail.push_back(std::move(message));
  }
  /// Null if the oldest message has to be loaded first, or there is none.
  [[nodiscard]] OwedMessage* front() noexcept;
  /// Takes the front out.
  [[nodiscard]] OwedMessage pop();

  /// Null if it is not at hand.
  [[nodiscard]] OwedMessage* find_sequence(std::uint64_t sequence) noexcept;
  /// Takes one out of the middle; it is at hand.
  void erase_sequence(std::uint64_t sequence);
  /// Visits what is at hand.
  template <class Visit>
  void for_each(Visit&& visit) {
    if (!body_) return;
    if (body_->stored) visit_all(body_->stored->head, visit);
    visit_all(body_->tail, visit);
  }

  // The stored part

  /// Whether front() lies in the store.
  [[nodiscard]] bool must_load() const noexcept {
    const Stored* stored = this->stored();
    return stored != nullptr && stored->head.empty() && stored->messages > 0;
  }
  /// What to load: `after` < sequence <= `up_to`, without those that skips().
  struct Range {
    std::uint64_t after = 0;
    std::uint64_t up_to = 0;
  };
  [[nodiscard]] Range stored_range() const noexcept { return {stored()->after, stored()->last}; }
  [[nodiscard]] bool skips(std::uint64_t sequence) const {
    return stored()->skip.contains(sequence);
  }
  /// A message that was loaded: the next of the head.
  void load(OwedMessage&& message);
  /// The store has nothing (more) in stored_range(): what was counted there is not there.
  void load_nothing();
  /// Lets the committed front of the tail rest in the store.
  void rest();
  /// Lets the head rest there, too, if nothing of it is lent.
  void rest_head();
  /// Takes out what the store does not have; returns how many and how many bytes.
  struct Dropped {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
  };
  Dropped drop_unstored();
  /// A message of the store that is no longer, or not, a part of the backlog.
  void skip(std::uint64_t sequence);
  /// After a restart of the broker: all of it is in the store.
  void restore(std::uint64_t messages, std::uint64_t bytes, std::uint64_t last_sequence);
  /// Some of what restore() counted is in the in-flight window.
  void restore_without(std::uint64_t sequence, std::size_t bytes);
  [[nodiscard]] std::size_t at_hand() const noexcept {
    return tail_size() + (stored() != nullptr ? stored()->head.size() : 0);
  }
  [[nodiscard]] std::size_t tail_size() const noexcept { return body_ ? body_->tail.size() : 0; }
  [[nodiscard]] bool any_stored() const noexcept {
    return stored() != nullptr && stored()->messages > 0;
  }

  void clear() noexcept { body_.reset(); }

 private:
  struct Stored {
    Ring<OwedMessage> head;
    std::uint64_t messages = 0;  // without the head
    std::uint64_t after = 0;     // all of them are behind this one ...
    std::uint64_t last = 0;      // ... up to this one
    /// Sequences in that range that are in the store and not of the backlog: rare.
    std::unordered_set<std::uint64_t> skip;
  };

  template <class Visit>
  static void visit_all(Ring<OwedMessage>& ring, Visit& visit) {
    for (std::size_t at = 0; at < ring.size(); ++at)
      visit(ring[at]);
  }
  struct Body {
    Ring<OwedMessage> tail;
    std::uint64_t bytes = 0;
    std::unique_ptr<Stored> stored;
  };

  [[nodiscard]] Body& body() {
    if (!body_) body_ = std::make_unique<Body>();
    return *body_;
  }
  [[nodiscard]] Stored* stored() noexcept { return body_ ? body_->stored.get() : nullptr; }
  [[nodiscard]] const Stored* stored() const noexcept {
    return body_ ? body_->stored.get() : nullptr;
  }
  [[nodiscard]] Stored& made_stored();

  std::unique_ptr<Body> body_;
};

}  // namespace linnet::session
