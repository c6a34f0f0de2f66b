// Which numbers of a sequence were passed over: ranges in their order. Bounded: beyond kRangesMax
// the oldest are given up, so that a number of theirs that comes after all is taken for one that
// came twice; is_exact() then says so. One thread.
#pragma once

#include <cstdint>
#include <vector>

namespace linnet::bench {

class Gaps {
 public:
  static constexpr std::size_t kRangesMax = 2'048;

  /// The numbers from `first` up to, but without, `end`: above all that are in it.
  void add(std::uint32_t first, std::uint32_t end);
  /// Takes a number out. False if it is not in a gap.
  [[nodiscard]] bool fill(std::uint32_t number);

  [[nodiscard]] bool is_exact() const noexcept { return exact_; }
  [[nodiscard]] std::size_t ranges() const noexcept { return ranges_.size(); }

 private:
  struct Range {
    std::uint32_t first;
    std::uint32_t end;
  };

  void shrink();

  std::vector<Range> ranges_;
  bool exact_ = true;
};

}  // namespace linnet::bench
