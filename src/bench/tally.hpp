// What receivers were to get and what has come: once, twice, late or not at all. Messages belong to
// streams (one publisher on one topic) and are numbered in each from 0; MQTT keeps their order. The
// common case, the next number, is one comparison. One thread.
//
//   Tally tally(streams, sent);
//   Tally::Receiver receiver = tally.add({0, 2});      // is to get streams 0 and 2
//   const auto counted = tally.count(receiver, 2, 0);  // counted.fresh, counted.settled
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "bench/gaps.hpp"

namespace linnet::bench {

/// What came of one message.
struct Counted {
  bool fresh = false;         // it came for the first time
  std::uint32_t settled = 0;  // deliveries that are no longer waited for: it and those passed over
};

/// What is wrong with what came.
struct Anomalies {
  std::uint64_t duplicated = 0;
  std::uint64_t disordered = 0;  // came after a later one of its stream
  std::uint64_t alien = 0;       // nobody sent it, or not to this receiver
  bool exact = true;             // see Gaps
};

class Tally {
 public:
  /// `next` holds the number that is due of each stream from `first` on.
  struct Receiver {
    std::uint32_t first = 0;
    std::uint32_t size = 0;
    std::size_t at = 0;  // in the tally's row of numbers
  };

  /// `sent` says how many messages of each stream were sent so far; it must outlive the tally.
  explicit Tally(const std::vector<std::uint32_t>& sent) : sent_(sent) {}

  /// A receiver of these streams, in ascending order. Before the first count().
  [[nodiscard]] Receiver add(std::span<const std::uint32_t> streams);

  [[nodiscard]] Counted count(const Receiver& receiver, std::uint32_t stream,
                              std::uint32_t number) {
    const std::uint32_t index = stream - receiver.first;
    if (index < receiver.size) [[likely]] {
      std::uint32_t& next = next_[receiver.at + index];
      if (next == number) [[likely]] {
        ++next;
        return {true, 1};
      }
    }
    return count_other(receiver, stream, number);
  }

  [[nodiscard]] const Anomalies& anomalies() const noexcept { return anomalies_; }

 private:
  static constexpr std::uint32_t kNotDue = 0xFFFF'FFFF;

  [[nodiscard]] Counted count_other(const Receiver& receiver, std::uint32_t stream,
                                    std::uint32_t number);

  const std::vector<std::uint32_t>& sent_;
  std::vector<std::uint32_t> next_;
  std::unordered_map<std::size_t, Gaps> gaps_;  // by the place in `next_`
  Anomalies anomalies_;
};

/// The same for a group that shares its messages: each comes to one of its members, and the
/// members' messages come in any order, but in order to each of them.
class SharedTally {
 public:
  /// At most `window` messages of a stream are on their way at one time.
  SharedTally(const std::vector<std::uint32_t>& sent, std::uint64_t window, std::size_t members);

  [[nodiscard]] Counted count(std::size_t member, std::uint32_t stream, std::uint32_t number);

  [[nodiscard]] const Anomalies& anomalies() const noexcept { return anomalies_; }

 private:
  static constexpr std::uint32_t kWordBits = 64;

  struct Stream {
    std::uint32_t base = 0;  // all below has come or is in `gaps`; a multiple of kWordBits
    Gaps gaps;
  };

  /// The word that holds a number's bit.
  [[nodiscard]] std::uint64_t& word_of(std::uint32_t stream, std::uint32_t number) noexcept;
  void slide(std::uint32_t stream);
  [[nodiscard]] Counted count_below(Stream& stream, std::uint32_t number);

  const std::vector<std::uint32_t>& sent_;
  std::uint32_t words_;  // of each stream
  std::vector<Stream> streams_;
  std::vector<std::uint64_t> bits_;
  std::vector<std::uint32_t> next_;  // by member and stream: above the highest that has come
  Anomalies anomalies_;
};

}  // namespace linnet::bench
