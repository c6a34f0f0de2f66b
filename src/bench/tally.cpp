#include "bench/tally.hpp"

#include <algorithm>
#include <bit>

namespace linnet::bench {

Tally::Receiver Tally::add(std::span<const std::uint32_t> streams) {
  if (streams.empty()) return {};
  const Receiver receiver{streams.front(), streams.back() - streams.front() + 1, next_.size()};
  next_.resize(next_.size() + receiver.size, kNotDue);
  for (const std::uint32_t stream : streams)
    next_[receiver.at + stream - receiver.first] = 0;
  return receiver;
}

Counted Tally::count_other(const Receiver& receiver, std::uint32_t stream, std::uint32_t number) {
  const std::uint32_t index = stream - receiver.first;
  const std::size_t place = receiver.at + index;
  if (index >= receiver.size || next_[place] == kNotDue || number >= sent_[stream]) {
    ++anomalies_.alien;
    return {};
  }
  std::uint32_t& next = next_[place];
  if (number > next) {
    Gaps& gaps = gaps_[place];
    gaps.add(next, number);
    anomalies_.exact = anomalies_.exact && gaps.is_exact();
    const std::uint32_t settled = number - next + 1;
    next = number + 1;
    return {true, settled};
  }
  const auto gaps = gaps_.find(place);
  if (gaps == gaps_.end() || !gaps->second.fill(number)) {
    ++anomalies_.duplicated;
    return {};
  }
  ++anomalies_.disordered;
  return {true, 0};
}

SharedTally::SharedTally(const std::vector<std::uint32_t>& sent, std::uint64_t window,
                         std::size_t members)
    : sent_(sent),
      words_(static_cast<std::uint32_t>(std::bit_ceil(window / kWordBits + 2))),
      streams_(sent.size()),
      bits_(sent.size() * words_),
      next_(sent.size() * members) {}

std::uint64_t& SharedTally::word_of(std::uint32_t stream, std::uint32_t number) noexcept {
  return bits_[std::size_t{stream} * words_ + (number / kWordBits) % words_];
}

/// Gives up the lowest word: what has not come of it is a gap.
void SharedTally::slide(std::uint32_t stream) {
  Stream& state = streams_[stream];
  std::uint64_t& word = word_of(stream, state.base);
  for (std::uint32_t bit = 0; word != ~std::uint64_t{0} && bit < kWordBits; ++bit) {
    if ((word >> bit & 1) == 0) state.gaps.add(state.base + bit, state.base + bit + 1);
  }
  anomalies_.exact = anomalies_.exact && state.gaps.is_exact();
  word = 0;
  state.base += kWordBits;
}

Counted SharedTally::count_below(Stream& stream, std::uint32_t number) {
  if (stream.gaps.fill(number)) return {true, 1};
  ++anomalies_.duplicated;
  return {};
}

Counted SharedTally::count(std::size_t member, std::uint32_t stream, std::uint32_t number) {
  if (stream >= streams_.size() || number >= sent_[stream]) {
    ++anomalies_.alien;
    return {};
  }
  Stream& state = streams_[stream];
  Counted counted{true, 1};
  if (number < state.base) {
    counted = count_below(state, number);
  } else {
    while (number - state.base >= words_ * kWordBits)
      slide(stream);
    std::uint64_t& word = word_of(stream, number);
    const std::uint64_t bit = std::uint64_t{1} << number % kWordBits;
    if (word & bit) {
      ++anomalies_.duplicated;
      return {};
    }
    word |= bit;
    while (word_of(stream, state.base) == ~std::uint64_t{0})
      slide(stream);
  }
  if (!counted.fresh) return counted;
  std::uint32_t& next = next_[member * streams_.size() + stream];
  if (number < next) ++anomalies_.disordered;
  next = std::max(next, number + 1);
  return counted;
}

}  // namespace linnet::bench
