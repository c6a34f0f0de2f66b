// What the instruction counts are taken of: the same traffic as that of `linnet bench`, cut into
// rounds that are the same each time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <linnet/config.hpp>

namespace linnet::bench {

enum class Pattern : std::uint8_t {
  pairs,     // each publisher to a subscriber of its own
  fan_out,   // all subscribers to all topics
  wildcard,  // random topics; a third of the filters each is exact, has a + and ends with #
  shared,    // subscribers that share the messages of one group
};

struct Scenario {
  std::string_view name;
  Pattern pattern = Pattern::pairs;
  std::uint32_t publishers = 10;
  std::uint32_t subscribers = 10;
  std::uint32_t topics = 10;
  std::uint32_t batch = 100;  // messages of each publisher in a round
  std::uint32_t payload = 16;
  std::uint8_t qos = 0;
  bool v5 = false;
  bool rules = false;
};

[[nodiscard]] std::span<const Scenario> scenarios() noexcept;

/// What each publisher sends in every round: topics, one for each message.
[[nodiscard]] std::vector<std::vector<std::string>> topics_of(const Scenario& scenario);
/// One filter for each subscriber.
[[nodiscard]] std::vector<std::string> filters_of(const Scenario& scenario);
[[nodiscard]] Config config_of(const Scenario& scenario);

}  // namespace linnet::bench
