// The wire that a session speaks over: TCP now, TLS and WebSocket beside it, a fake one in tests.
// One of the four seams of the core. A link lives in one shard at a time and is touched only by
// that shard's thread; between two shards it travels inside a letter, with no operation
// outstanding.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "net/admission.hpp"
#include "net/endpoint.hpp"
#include "net/outbox.hpp"
#include "net/peer_facts.hpp"

namespace linnet::net {

class Reactor;

/// Why a link ended by itself, or how it is to be ended.
enum class CloseMode : std::uint8_t {
  now,    // what the kernel does not take at once is dropped
  flush,  // send the outbox, shut the write side, then read and drop for up to 1 s, so that a reset
          // does not overtake the last packet
  leave,  // as flush, but the other side has said that it leaves: its end is not waited for where
          // the wire allows that
};

/// Who is told what happens on a link.
class LinkUser {
 public:
  /// Bytes have come; `bytes` holds all that is unread, oldest first. Returns how many of them are
  /// done with; the link keeps the rest and shows it again, in front of what comes next. The user
  /// may pause() or close() the link meanwhile.
  virtual std::size_t on_bytes(std::string_view bytes) = 0;
  /// The outbox has become empty after it was not at the end of a turn.
  virtual void on_drained() = 0;
  /// The other side has gone, or the wire failed. The link lets go of its user before the call; the
  /// user may still ask it who it was, and not touch it again after. No error in `reason`: the
  /// other side closed in order.
  virtual void on_closed(std::error_code reason) = 0;
  /// The other side broke the rules of a protocol below MQTT; `fault` says how, in words, or is
  /// empty where there is nothing to say. The user must close() the link from within.
  virtual void on_refused(std::string_view fault) = 0;

 protected:
  ~LinkUser() = default;
};

/// What a listener says about the links that come through it. A reload may change what it says of
/// those that have come already; any thread. It outlives its links.
struct ListenerTraits {
  std::string url;                               // as configured, for logs
  std::atomic<bool> allow_anonymous = false;     // its written word
  std::atomic<bool> local = false;               // only this machine can reach it
  mutable std::atomic<std::uint32_t> links = 0;  // that there are
};

/// Counts a link among its listener's.
class ListenerHold {
 public:
  explicit ListenerHold(const ListenerTraits& traits) noexcept : traits_(traits) {
    traits_.links.fetch_add(1, std::memory_order_relaxed);
  }
  ListenerHold(const ListenerHold&) = delete;
  ListenerHold& operator=(const ListenerHold&) = delete;
  /// Whoever then sees that no link is left may delete what they used.
  ~ListenerHold() { traits_.links.fetch_sub(1, std::memory_order_release); }

  [[nodiscard]] const ListenerTraits& traits() const noexcept { return traits_; }

 private:
  const ListenerTraits& traits_;
};

class Link {
 public:
  Link(const ListenerTraits& listener, BlockPool& pool) noexcept
      : listener_(listener), outbox_(pool) {}
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  virtual ~Link() = default;

  /// What is still to be sent. Call touch() after adding to it.
  [[nodiscard]] Outbox& outbox() noexcept { return outbox_; }
  [[nodiscard]] const Outbox& outbox() const noexcept { return outbox_; }

  /// Makes sure that the outbox is written at the end of this turn, in one call for all of it.
  void touch() {
    if (touched_) return;
    touched_ = true;
    on_touched();
  }

  /// on_drained() is wanted once the outbox is empty, even if it was written without a pause.
  void want_drained() noexcept { wants_drained_ = true; }

  /// Whether the other side has not taken yet what was to be sent in an earlier turn.
  [[nodiscard]] virtual bool blocked() const noexcept { return false; }

  void set_user(LinkUser* user) noexcept { user_ = user; }
  [[nodiscard]] LinkUser* user() const noexcept { return user_; }
  [[nodiscard]] const ListenerTraits& listener() const noexcept { return listener_.traits(); }

  /// "192.0.2.7:51234", "[2001:db8::1]:1883" or "unix"; built for logs, so not on a hot path.
  [[nodiscard]] virtual std::string peer() const = 0;
  /// Who the transport says the client is. Of a meaning once bytes have been shown.
  [[nodiscard]] virtual PeerFacts facts() const { return {}; }

  /// The client's address, as told by a trusted proxy if there is one. Final once bytes have been
  /// shown.
  [[nodiscard]] virtual Endpoint endpoint() const noexcept { return {}; }

  /// What it holds until its client is let in. Before the first join().
  void hold(std::unique_ptr<Admission> admission) noexcept { admission_ = std::move(admission); }
  [[nodiscard]] Admission* admission() const noexcept { return admission_.get(); }
  /// The client has been let in: its CONNECT is accepted. May be called again.
  void let_in() noexcept { admission_.reset(); }

  /// Stops and starts reading; the kernel's window then slows the sender. Starts enabled.
  /// resume() shows kept bytes again, not from within itself but soon after.
  virtual void pause() = 0;
  virtual void resume() = 0;

  /// Lets go of the user and ends the link; it deletes itself when that is done.
  virtual void close(CloseMode mode) = 0;

  /// Takes the link out of its shard, together with the bytes that were read and not consumed.
  /// They are shown after join(). The outbox must be empty; not from within on_bytes().
  [[nodiscard]] virtual std::unique_ptr<Link> leave() = 0;
  /// Puts a link that is new or left another shard into this one; the reactor keeps it, and it
  /// reads. Its user is set within the same turn. If the wire cannot be watched, on_closed()
  /// follows.
  virtual void join(std::unique_ptr<Link> self, Reactor& reactor) = 0;

 protected:
  virtual void on_touched() = 0;
  /// For the reactor's flush: the outbox has been looked at.
  void untouch() noexcept { touched_ = false; }
  [[nodiscard]] bool touched() const noexcept { return touched_; }
  [[nodiscard]] bool take_wants_drained() noexcept { return std::exchange(wants_drained_, false); }

 private:
  friend class Reactor;

  ListenerHold listener_;  // first: it goes when all else has gone
  Outbox outbox_;
  LinkUser* user_ = nullptr;
  std::unique_ptr<Admission> admission_;  // null: the client has been let in
  std::uint32_t kept_at_ = 0;             // the reactor's
  bool touched_ = false;
  bool wants_drained_ = false;
};

}  // namespace linnet::net
