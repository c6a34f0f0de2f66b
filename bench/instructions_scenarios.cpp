#include "instructions_scenarios.hpp"

#include <array>
#include <random>

namespace linnet::bench {

namespace {

constexpr std::array kScenarios = {
    Scenario{.name = "p2p"},
    Scenario{.name = "p2p-1k", .payload = 1024},
    // What a link reads at once: the shard's buffer has room for no more.
    Scenario{.name = "p2p-64k", .batch = 3, .payload = 65'536},
    Scenario{.name = "p2p-v5", .v5 = true},
    Scenario{.name = "p2p-qos1", .batch = 16, .qos = 1},
    Scenario{.name = "p2p-qos2", .batch = 16, .qos = 2},
    Scenario{.name = "p2p-rules", .rules = true},
    Scenario{.name = "fanout",
             .pattern = Pattern::fan_out,
             .publishers = 1,
             .subscribers = 100,
             .topics = 1,
             .batch = 16},
    Scenario{.name = "fanout-1000",
             .pattern = Pattern::fan_out,
             .publishers = 1,
             .subscribers = 1000,
             .topics = 1,
             .batch = 2,
             .qos = 1},
    Scenario{.name = "fanin",
             .pattern = Pattern::fan_out,
             .publishers = 1000,
             .subscribers = 1,
             .topics = 1000,
             .batch = 1},
    Scenario{.name = "wildcard",
             .pattern = Pattern::wildcard,
             .subscribers = 2000,
             .topics = 1000,
             .batch = 20},
    Scenario{.name = "shared", .pattern = Pattern::shared},
};

/// "bench/4/0/7": levels, so that filters have something to choose from.
std::string deep_topic(std::uint32_t topic) {
  return "bench/" + std::to_string(topic / 100) + '/' + std::to_string(topic / 10 % 10) + '/' +
         std::to_string(topic % 10);
}

std::string flat_topic(std::uint32_t topic) {
  return "bench/" + std::to_string(topic);
}

std::string wildcard_filter(std::uint32_t topic, std::uint32_t kind) {
  const auto high = std::to_string(topic / 100);
  const auto middle = std::to_string(topic / 10 % 10);
  const auto low = std::to_string(topic % 10);
  switch (kind) {
    case 0: return "bench/+/" + middle + '/' + low;
    case 1: return "bench/" + high + "/+/" + low;
    case 2: return "bench/" + high + '/' + middle + "/+";
    case 3:
    case 4:
    case 5: return "bench/" + high + '/' + middle + "/#";
    default: return deep_topic(topic);
  }
}

std::string filter_of(const Scenario& scenario, std::uint32_t subscriber, std::mt19937& random) {
  switch (scenario.pattern) {
    case Pattern::pairs: return flat_topic(subscriber % scenario.topics);
    case Pattern::fan_out: return scenario.topics == 1 ? flat_topic(0) : "bench/#";
    case Pattern::shared: return "$share/group/bench/#";
    case Pattern::wildcard: break;
  }
  const auto topic = static_cast<std::uint32_t>(random() % scenario.topics);
  constexpr std::uint32_t kKinds = 9;
  return wildcard_filter(topic, static_cast<std::uint32_t>(random() % kKinds));
}

}  // namespace

std::span<const Scenario> scenarios() noexcept {
  return kScenarios;
}

std::vector<std::vector<std::string>> topics_of(const Scenario& scenario) {
  std::mt19937 random(1);
  std::vector<std::vector<std::string>> all(scenario.publishers);
  for (std::uint32_t publisher = 0; publisher < scenario.publishers; ++publisher) {
    for (std::uint32_t message = 0; message < scenario.batch; ++message) {
      const auto drawn = static_cast<std::uint32_t>(random() % scenario.topics);
      all[publisher].push_back(scenario.pattern == Pattern::wildcard
                                   ? deep_topic(drawn)
                                   : flat_topic(publisher % scenario.topics));
    }
  }
  return all;
}

std::vector<std::string> filters_of(const Scenario& scenario) {
  std::mt19937 random(2);
  std::vector<std::string> filters;
  for (std::uint32_t subscriber = 0; subscriber < scenario.subscribers; ++subscriber)
    filters.push_back(filter_of(scenario, subscriber, random));
  return filters;
}

Config config_of(const Scenario& scenario) {
  Config config;
  if (!scenario.rules) return config;
  constexpr int kRules = 10;
  // The last of them is the one that allows.
  for (int rule = 1; rule < kRules; ++rule) {
    RuleConfig elsewhere;
    elsewhere.topics = {"place/" + std::to_string(rule) + "/${clientid}/#"};
    config.auth.rules.push_back(elsewhere);
  }
  RuleConfig here;
  here.topics = {"bench/#"};
  config.auth.rules.push_back(here);
  return config;
}

}  // namespace linnet::bench
