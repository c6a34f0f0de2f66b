#include "access_rules.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "access_brokers.hpp"
#include "access_files.hpp"
#include "bench_folder.hpp"
#include "flow.hpp"
#include "table_cells.hpp"

namespace linnet::bench {

namespace {

constexpr auto kTopicsEach = std::to_array<std::uint32_t>({1, 8, 64});
constexpr std::uint32_t kCommonRules = 10;
constexpr std::uint32_t kRulesEach = 5;
// Logins are not what is measured here.
constexpr std::uint32_t kIterations = 1'000;

struct RuleSet {
  std::string name;
  AccessFiles files;
};

struct Contender {
  Broker broker;
  std::vector<Flow> rounds;
};

/// Of one rule set and one number of topics.
struct Row {
  std::uint32_t topics_each;
  std::vector<Contender> contenders;
};

std::vector<std::string> users_of(const AccessOptions& options) {
  const Options traffic;
  std::vector<std::string> users;
  for (std::uint32_t at = 0; at < traffic.publishers; ++at)
    users.push_back("bench-publisher-" + std::to_string(at));
  for (std::uint32_t at = 0; at < traffic.subscribers; ++at)
    users.push_back("bench-subscriber-" + std::to_string(at));
  for (std::uint32_t at = 0; users.size() < options.users; ++at)
    users.push_back("somebody-" + std::to_string(at));
  return users;
}

std::vector<RuleSet> write_rule_sets(const AccessOptions& options) {
  const auto users = users_of(options);
  const auto passwords = options.folder + "/users";
  const auto common = options.folder + "/common-rules";
  const auto of_users = options.folder + "/rules-of-users";
  write_passwords(passwords, users, kIterations);
  write_common_rules(common, kCommonRules);
  write_rules_of_users(of_users, users, kRulesEach);
  return {
      {.name = "none", .files = {.passwords = passwords, .rules = {}}},
      {.name = std::to_string(kCommonRules), .files = {.passwords = passwords, .rules = common}},
      {.name = std::to_string(options.users) + " x " + std::to_string(kRulesEach),
       .files = {.passwords = passwords, .rules = of_users}}};
}

void measure_round(std::vector<Row>& rows, std::size_t contender, const AccessFiles& files,
                   const AccessOptions& options) {
  const BenchFolder folder(options.folder);
  auto broker = start_broker(rows[0].contenders[contender].broker, options, folder.path(), files);
  for (auto& row : rows) {
    const Options traffic{.port = broker.target().port,
                          .pid = broker.target().pid,
                          .topics_each = row.topics_each,
                          .password = kRightPassword};
    row.contenders[contender].rounds.push_back(
        measure_flow(Transport::tcp, traffic, std::chrono::seconds(options.rules_s)));
  }
  broker.end(SIGTERM);
}

/// `peer` is Mosquitto's, and `plain` this broker's without rules.
void print_flow(const Flow& flow, const Flow* peer, const Flow& plain) {
  print_cell(number(flow.delivered_per_s, 0), 12);
  print_cell(peer == nullptr ? "" : ratio(flow.delivered_per_s, peer->delivered_per_s), 7);
  print_cell(number(flow.cpu_us, 3), 9);
  print_cell(peer == nullptr ? "" : ratio(flow.cpu_us, peer->cpu_us), 7);
  print_cell(ratio(flow.cpu_us, plain.cpu_us), 9);
  print_cell(number(flow.cpu_percent, 0), 7);
  print_cell(number(flow.client_percent, 0), 14);
  print_cell(std::to_string(flow.lost), 7);
  std::cout << '\n';
}

std::uint64_t print_rows(std::string_view rules, const std::vector<Row>& rows,
                         const std::vector<Row>& plain_rows) {
  std::uint64_t lost = 0;
  for (std::size_t at = 0; at < rows.size(); ++at) {
    const auto& contenders = rows[at].contenders;
    const auto peer = median_of(contenders.back().rounds);
    for (std::size_t index = 0; index < contenders.size(); ++index) {
      const auto flow = median_of(contenders[index].rounds);
      lost += flow.lost;
      print_name(rules, 11);
      print_cell(std::to_string(rows[at].topics_each), 6);
      std::cout << "  ";
      print_name(contenders[index].broker.name, 11);
      print_flow(flow, index + 1 == contenders.size() ? nullptr : &peer,
                 median_of(plain_rows[at].contenders[index].rounds));
    }
  }
  return lost;
}

}  // namespace

std::uint64_t measure_rules(const AccessOptions& options) {
  const auto sets = write_rule_sets(options);
  const auto brokers = brokers_of(options);
  std::vector<Row> unmeasured;
  for (const auto topics_each : kTopicsEach) {
    unmeasured.push_back({.topics_each = topics_each, .contenders = {}});
    for (const auto& broker : brokers)
      unmeasured.back().contenders.push_back({.broker = broker, .rounds = {}});
  }
  std::vector<std::vector<Row>> rows_of_set(sets.size(), unmeasured);
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    for (std::size_t set = 0; set < sets.size(); ++set) {
      for (std::size_t contender = 0; contender < brokers.size(); ++contender)
        measure_round(rows_of_set[set], contender, sets[set].files, options);
    }
  }

  std::cout << "\nrules: 10 publishers to 10 subscribers, QoS 0, 16 bytes, medians of "
            << options.rounds << (options.rounds > 1 ? " rounds\n" : " round\n");
  std::cout << "rules      topics  broker      delivered/s  ratio   CPU us  ratio  to none  CPU %  "
               "client CPU %   lost\n";
  std::uint64_t lost = 0;
  for (std::size_t set = 0; set < sets.size(); ++set)
    lost += print_rows(sets[set].name, rows_of_set[set], rows_of_set.front());
  std::cout << std::flush;
  return lost;
}

}  // namespace linnet::bench
