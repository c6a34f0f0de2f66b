// What an administrator asks of a broker that runs: one question to all shards, which answer it in
// pieces, some of it in each turn, so that no client waits for an answer. Shared by the one who
// asks and the shards; any thread.
//
//   InquiryPtr inquiry(new Inquiry(question, post.shards(), &waker));
//   for each shard: post.mailbox(shard).post(InquiryLetter{inquiry});
//   ... waker.wake() ...            when all have answered
//   if (inquiry->complete()) findings = inquiry->take();
//
// Who asks calls leave() when it does not wait any longer: the shards then stop looking.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "base/counters.hpp"
#include "base/mailbox.hpp"
#include "session/session_facts.hpp"

namespace linnet::shard {

struct Question {
  enum class Kind : std::uint8_t {
    counters,        // how much there is of everything
    list,            // some sessions, see below
    kick,            // ends the connection of `client_id`
    erase_retained,  // of `topics`
  };
  enum class Order : std::uint8_t {
    by_id,
    by_burden,  // those first that lag behind most; those that do not are left out
  };

  Kind kind = Kind::counters;

  // list
  Order order = Order::by_id;
  bool connected_only = false;
  std::string after;      // by_id: only those behind this one
  std::string client_id;  // not empty: this one alone, with its subscriptions
  std::size_t limit = 100;

  // kick
  bool ends_session = false;

  // erase_retained
  std::vector<std::string> topics{};
};

struct Findings {
  Counters counters;
  std::vector<session::SessionFacts> sessions;  // in their order, at most `limit`
  std::uint64_t matching = 0;                   // how many there are, listed or not
  std::uint64_t connected = 0;                  // of a kick: whether it was, ...
  std::uint64_t ended = 0;                      // ... and whether its session has ended
  std::uint64_t erased = 0;
  std::uint64_t refused = 0;  // retained messages that the store did not let go
  bool partial = false;       // too many have come and gone meanwhile: some may be missing
};

class Inquiry final : public boost::intrusive_ref_counter<Inquiry> {
 public:
  /// `waker` is called once; it must live until then or until leave().
  Inquiry(Question question, std::uint32_t shards, Waker* waker)
      : question_(std::move(question)), waker_(waker), left_(shards) {}

  [[nodiscard]] const Question& question() const noexcept { return question_; }
  /// Nobody waits any more.
  [[nodiscard]] bool left_alone() const noexcept { return alone_.load(std::memory_order_relaxed); }
  void leave();
  /// A shard has answered.
  void answer(Findings findings);
  /// Whether all shards have answered.
  [[nodiscard]] bool complete();
  /// All that was found, put together; once.
  [[nodiscard]] Findings take();

 private:
  const Question question_;
  std::atomic<bool> alone_{false};
  std::mutex mutex_;
  Waker* waker_;
  std::uint32_t left_;
  Findings findings_;
};

using InquiryPtr = boost::intrusive_ptr<Inquiry>;

/// Where `one` stands in a list: what comes first is smaller.
[[nodiscard]] std::pair<std::uint64_t, std::string_view> place_of(
    const Question& question, const session::SessionFacts& one) noexcept;

}  // namespace linnet::shard
