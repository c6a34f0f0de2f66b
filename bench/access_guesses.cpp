#include "access_guesses.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access_brokers.hpp"
#include "access_files.hpp"
#include "access_logins.hpp"
#include "bench_folder.hpp"
#include "process_usage.hpp"
#include "statistics.hpp"
#include "table_cells.hpp"
#include "transports_latency.hpp"

namespace linnet::bench {

namespace {

using Clock = std::chrono::steady_clock;

enum class Meanwhile : std::uint8_t { quiet, logins, guesses };
constexpr auto kRows =
    std::to_array<Meanwhile>({Meanwhile::quiet, Meanwhile::logins, Meanwhile::guesses});

constexpr std::uint32_t kRightPerS = 4;  // of each kind
constexpr std::uint32_t kGuessed = 100;  // users whose passwords are guessed
constexpr std::uint32_t kGuessers = 20;  // addresses that they come from
constexpr auto kReturning = "returning"sv;

struct Phase {
  double guesses_per_s = 0;
  double refused_per_s = 0;
  double busy_per_s = 0;
  double mute_per_s = 0;  // guesses that got no answer
  double messages_per_s = 0;
  double p50_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
  double cpu_percent = 0;  // the broker's
  std::uint64_t lost = 0;
  LoginCounts fresh{};      // who were not here before
  LoginCounts returning{};  // one who was
};

std::string_view name_of(Meanwhile row) {
  switch (row) {
    case Meanwhile::quiet: return "nothing";
    case Meanwhile::logins: return "right logins";
    case Meanwhile::guesses: return "and guesses";
  }
  return {};
}

/// As many as log in while a row is measured, and somewhat more; no row has those of another one.
std::vector<std::string> fresh_users(Meanwhile row, const AccessOptions& options) {
  constexpr std::uint32_t kLongerS = 30;
  std::vector<std::string> users;
  for (std::uint32_t user = 0; user < kRightPerS * (options.seconds + kLongerS); ++user) {
    users.push_back((row == Meanwhile::logins ? "early-" : "late-") + std::to_string(user));
  }
  return users;
}

LoginPlan fresh_plan(Meanwhile row, const AccessOptions& options) {
  LoginPlan plan{.name = "bench-fresh",
                 .users = fresh_users(row, options),
                 .password = kRightPassword,
                 .addresses = {},
                 .per_second = kRightPerS};
  // None waits behind another one.
  for (std::uint32_t host = 1; host <= 250; ++host)
    plan.addresses.push_back("127.0.1." + std::to_string(host));
  return plan;
}

LoginPlan returning_plan() {
  return {.name = "bench-returning",
          .users = {std::string(kReturning)},
          .password = kRightPassword,
          .addresses = {"127.0.3.1"},
          .per_second = kRightPerS};
}

LoginPlan guessing_plan(const AccessOptions& options) {
  LoginPlan plan{.name = "bench-guess",
                 .users = {},
                 .password = "a wrong one",
                 .addresses = {},
                 .per_second = options.guesses_per_s};
  for (std::uint32_t user = 0; user < kGuessed; ++user)
    plan.users.push_back("guessed-" + std::to_string(user));
  for (std::uint32_t guesser = 1; guesser <= kGuessers; ++guesser)
    plan.addresses.push_back("127.0.2." + std::to_string(guesser));
  return plan;
}

AccessFiles write_users(const AccessOptions& options) {
  AccessFiles files{.passwords = options.folder + "/guessed-users", .rules = {}};
  auto users = guessing_plan(options).users;
  users.emplace_back(kReturning);
  for (const auto row : {Meanwhile::logins, Meanwhile::guesses}) {
    const auto fresh = fresh_users(row, options);
    users.insert(users.end(), fresh.begin(), fresh.end());
  }
  write_passwords(files.passwords, users, options.iterations);
  return files;
}

void count_guesses(Phase& phase, const LoginCounts& guesses, double elapsed_s) {
  const auto a_second = [elapsed_s](std::uint64_t count) {
    return static_cast<double>(count) / elapsed_s;
  };
  if (guesses.accepted > 0) fail("a wrong password was accepted");
  phase.guesses_per_s = a_second(guesses.begun);
  phase.refused_per_s = a_second(guesses.refused);
  phase.busy_per_s = a_second(guesses.busy);
  phase.mute_per_s = a_second(guesses.closed + guesses.unanswered);
}

Phase measure_phase(PairTraffic& traffic, const Target& target, Meanwhile row,
                    const AccessOptions& options) {
  (void)settled_usage_of(target.pid);
  std::optional<Logins> fresh;
  std::optional<Logins> returning;
  std::optional<Logins> guesses;
  if (row == Meanwhile::guesses) guesses.emplace(guessing_plan(options), target.port);
  if (row != Meanwhile::quiet) {
    fresh.emplace(fresh_plan(row, options), target.port);
    returning.emplace(returning_plan(), target.port);
  }
  const auto began = Clock::now();
  const auto elapsed_s = [began] {
    return std::chrono::duration<double>(Clock::now() - began).count();
  };
  const auto cpu_before_s = cpu_s(target.pid);
  const auto latencies = traffic.run(std::chrono::seconds(options.seconds));
  Phase phase{.messages_per_s = static_cast<double>(latencies.ms.size()) / elapsed_s(),
              .p50_ms = percentile(latencies.ms, 50),
              .p99_ms = percentile(latencies.ms, 99),
              .max_ms = percentile(latencies.ms, 100),
              .cpu_percent = 100 * (cpu_s(target.pid) - cpu_before_s) / elapsed_s(),
              .lost = latencies.lost};
  // The guesses go on for as long as somebody waits behind them.
  if (returning) phase.returning = returning->end(kAnswerTimeout);
  if (fresh) phase.fresh = fresh->end(kAnswerTimeout);
  if (guesses) {
    const auto guessing_s = elapsed_s();
    count_guesses(phase, guesses->end(std::chrono::seconds(0)), guessing_s);
  }
  return phase;
}

using Rounds = std::vector<Phase>;

struct Contender {
  Broker broker;
  std::array<Rounds, kRows.size()> rounds_of_row;
};

void measure_round(Contender& contender, const AccessOptions& options, const AccessFiles& files) {
  const BenchFolder folder(options.folder);
  auto broker = start_broker(contender.broker, options, folder.path(), files);
  {
    PairTraffic traffic(Transport::tcp, broker.target().port, options.pairs,
                        options.messages_per_s);
    for (std::size_t row = 0; row < kRows.size(); ++row) {
      contender.rounds_of_row[row].push_back(
          measure_phase(traffic, broker.target(), kRows[row], options));
    }
  }
  // One that is still busy with guesses would take its time.
  broker.end(SIGKILL);
}

void add(LoginCounts& sum, const LoginCounts& more) {
  sum.begun += more.begun;
  sum.accepted += more.accepted;
  sum.ms.insert(sum.ms.end(), more.ms.begin(), more.ms.end());
}

Phase median_of(const Rounds& rounds) {
  Phase middle{.guesses_per_s = median(rounds, &Phase::guesses_per_s),
               .refused_per_s = median(rounds, &Phase::refused_per_s),
               .busy_per_s = median(rounds, &Phase::busy_per_s),
               .mute_per_s = median(rounds, &Phase::mute_per_s),
               .messages_per_s = median(rounds, &Phase::messages_per_s),
               .p50_ms = median(rounds, &Phase::p50_ms),
               .p99_ms = median(rounds, &Phase::p99_ms),
               .cpu_percent = median(rounds, &Phase::cpu_percent)};
  for (const auto& round : rounds) {
    middle.max_ms = std::max(middle.max_ms, round.max_ms);
    middle.lost += round.lost;
    add(middle.fresh, round.fresh);
    add(middle.returning, round.returning);
  }
  return middle;
}

void print_head(const Contender& contender, Meanwhile row) {
  print_name(contender.broker.name, 11);
  print_name(name_of(row), 13);
}

void print_latencies(const std::vector<Contender>& contenders) {
  std::cout
      << "broker     meanwhile    guesses/s  refused/s  busy/s  mute/s  messages/s   p50 ms   "
         "p99 ms   max ms  p50 ratio  p99 ratio  CPU %   lost\n";
  for (const auto& contender : contenders) {
    const auto quiet = median_of(contender.rounds_of_row[0]);
    for (std::size_t row = 0; row < kRows.size(); ++row) {
      const auto phase = median_of(contender.rounds_of_row[row]);
      print_head(contender, kRows[row]);
      print_cell(number(phase.guesses_per_s, 0), 9);
      print_cell(number(phase.refused_per_s, 1), 11);
      print_cell(number(phase.busy_per_s, 1), 8);
      print_cell(number(phase.mute_per_s, 1), 8);
      print_cell(number(phase.messages_per_s, 0), 12);
      print_cell(number(phase.p50_ms, 3), 9);
      print_cell(number(phase.p99_ms, 3), 9);
      print_cell(number(phase.max_ms, 1), 9);
      print_cell(ratio(phase.p50_ms, quiet.p50_ms), 11);
      print_cell(ratio(phase.p99_ms, quiet.p99_ms), 11);
      print_cell(number(phase.cpu_percent, 0), 7);
      print_cell(std::to_string(phase.lost), 7);
      std::cout << '\n';
    }
  }
}

void print_waits(const LoginCounts& logins, const LoginCounts* peer) {
  const auto p50_ms = percentile(logins.ms, 50);
  print_cell(std::to_string(logins.accepted) + " of " + std::to_string(logins.begun), 13);
  print_cell(number(p50_ms, 1), 9);
  print_cell(number(percentile(logins.ms, 100), 1), 9);
  print_cell(peer == nullptr ? "" : ratio(p50_ms, percentile(peer->ms, 50)), 7);
}

void print_logins(const std::vector<Contender>& contenders) {
  std::cout
      << "\nright logins         ---------------- of new users    ------------ of one who was "
         "here\n"
         "broker     meanwhile      accepted   p50 ms   max ms  ratio     accepted   p50 ms   "
         "max ms  ratio\n";
  for (const auto& contender : contenders) {
    for (std::size_t row = 1; row < kRows.size(); ++row) {
      const auto phase = median_of(contender.rounds_of_row[row]);
      const auto peer = median_of(contenders.back().rounds_of_row[row]);
      const bool is_peer = &contender == &contenders.back();
      print_head(contender, kRows[row]);
      print_waits(phase.fresh, is_peer ? nullptr : &peer.fresh);
      print_waits(phase.returning, is_peer ? nullptr : &peer.returning);
      std::cout << '\n';
    }
  }
}

}  // namespace

std::uint64_t measure_guesses(const AccessOptions& options) {
  std::cout << "\nlatency while passwords are guessed: " << options.iterations
            << " iterations each, " << options.seconds << " s each, medians of " << options.rounds
            << (options.rounds > 1 ? " rounds\n" : " round\n");
  const auto files = write_users(options);
  std::vector<Contender> contenders;
  for (const auto& broker : brokers_of(options))
    contenders.push_back({.broker = broker, .rounds_of_row = {}});
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    for (auto& contender : contenders)
      measure_round(contender, options, files);
  }
  print_latencies(contenders);
  print_logins(contenders);
  std::cout << std::flush;
  std::uint64_t lost = 0;
  for (const auto& rounds : contenders.front().rounds_of_row)
    lost += median_of(rounds).lost;
  return lost;
}

}  // namespace linnet::bench
