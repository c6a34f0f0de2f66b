#include "access_options.hpp"

#include <array>

#include "option_table.hpp"

namespace linnet::bench {

namespace {

constexpr auto kNumbers = std::to_array<NumberOption<AccessOptions>>({
    {"--rounds", &AccessOptions::rounds, 1, 1'000},
    {"--seconds", &AccessOptions::seconds, 1, 600},
    {"--guesses", &AccessOptions::guesses_per_s, 1, 400},
    {"--pairs", &AccessOptions::pairs, 1, 1'000},
    {"--messages", &AccessOptions::messages_per_s, 1, 100'000},
    {"--iterations", &AccessOptions::iterations, 1'000, 1'000'000},
    {"--round-seconds", &AccessOptions::rules_s, 1, 600},
    {"--users", &AccessOptions::users, 20, 100'000},
});

constexpr auto kTexts = std::to_array<TextOption<AccessOptions>>({
    {"--linnet", &AccessOptions::linnet},
    {"--mosquitto", &AccessOptions::mosquitto},
    {"--folder", &AccessOptions::folder},
    {"--only", &AccessOptions::only},
});

}  // namespace

void make_quick(AccessOptions& options) {
  options.rounds = 1;
  options.seconds = 3;
  options.rules_s = 1;
}

AccessOptions parse_access_options(int count, char** arguments) {
  AccessOptions options;
  OptionTable<AccessOptions>(kNumbers, kTexts).read(options, 1, count, arguments);
  if (options.linnet.empty()) fail("--linnet FILE is needed");
  if (!options.only.empty() && options.only != "guesses" && options.only != "rules") {
    fail("--only takes guesses or rules");
  }
  return options;
}

}  // namespace linnet::bench
