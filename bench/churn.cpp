// bench_churn: what subscription churn costs steady publishing, measured on a running broker. See
// README.md.

#include <chrono>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "churned_clients.hpp"
#include "options.hpp"
#include "plain_connection.hpp"
#include "process_usage.hpp"
#include "statistics.hpp"
#include "steady_traffic.hpp"
#include "wire.hpp"

namespace {

using namespace linnet::bench;  // NOLINT: this file is one program

constexpr std::chrono::milliseconds kWarmUp{500};

struct Sample {
  double delivered_per_s = 0;
  double cpu_us_per_message = 0;
  double churned_per_s = 0;
  std::uint64_t lost = 0;
};

/// How much of the rate churn took, in per cent.
struct Loss {
  double wall_clock = 0;
  double cpu = 0;
};

Sample measure(Traffic<PlainConnection>& traffic, const Options& options, bool with_churn) {
  std::optional<ChurnedClients> churned;
  if (with_churn) churned.emplace(options.port, options.churn_per_s);
  const auto began = Clock::now();
  const auto cpu_before_s = cpu_s(options.pid);
  const auto delivered_before = traffic.delivered();

  traffic.run_until(began + std::chrono::seconds(options.seconds));

  const auto delivered = static_cast<double>(traffic.delivered() - delivered_before);
  const auto cpu_spent_s = cpu_s(options.pid) - cpu_before_s;
  const std::chrono::duration<double> elapsed_s = Clock::now() - began;
  if (delivered == 0) fail("nothing was delivered");
  Sample sample{.delivered_per_s = delivered / elapsed_s.count(),
                .cpu_us_per_message = cpu_spent_s * 1e6 / delivered};
  if (churned) {
    sample.churned_per_s = static_cast<double>(churned->completed()) / elapsed_s.count();
  }
  sample.lost = traffic.drain();
  return sample;
}

Loss loss_between(const Sample& without, const Sample& with) {
  return {.wall_clock = 100 * (1 - with.delivered_per_s / without.delivered_per_s),
          .cpu = 100 * (1 - without.cpu_us_per_message / with.cpu_us_per_message)};
}

Sample median_of(const std::vector<Sample>& samples) {
  Sample middle{.delivered_per_s = median(samples, &Sample::delivered_per_s),
                .cpu_us_per_message = median(samples, &Sample::cpu_us_per_message),
                .churned_per_s = median(samples, &Sample::churned_per_s)};
  for (const auto& sample : samples)
    middle.lost += sample.lost;
  return middle;
}

// The report
// ---------------------------------------------------------------------------------------

void print_head() {
  std::cout << "round   churn   delivered/s   CPU us/message   churned/s    lost"
               "   loss of rate: by clock   by CPU\n";
}

void print_row(std::string_view round, const Sample& sample, const std::optional<Loss>& loss) {
  std::cout << std::fixed << std::left << std::setw(8) << round << std::setw(5)
            << (loss ? "yes" : "no") << std::right << std::setprecision(0) << std::setw(14)
            << sample.delivered_per_s << std::setprecision(3) << std::setw(17)
            << sample.cpu_us_per_message << std::setprecision(0) << std::setw(12)
            << sample.churned_per_s << std::setw(8) << sample.lost;
  if (loss) {
    std::cout << std::setprecision(1) << std::setw(23) << loss->wall_clock << " %" << std::setw(7)
              << loss->cpu << " %";
  }
  std::cout << '\n' << std::flush;
}

}  // namespace

int main(int count, char** arguments) {
  const auto options = parse(count, arguments);
  Traffic<PlainConnection> traffic(options, [&] { return PlainConnection(options.port); });
  traffic.run_until(Clock::now() + kWarmUp);
  auto lost = traffic.drain();

  std::vector<Sample> without;
  std::vector<Sample> with;
  std::vector<Loss> losses;
  print_head();
  for (std::uint32_t round = 1; round <= options.rounds; ++round) {
    const auto name = std::to_string(round);
    without.push_back(measure(traffic, options, false));
    print_row(name, without.back(), {});
    with.push_back(measure(traffic, options, true));
    losses.push_back(loss_between(without.back(), with.back()));
    print_row(name, with.back(), losses.back());
    lost += without.back().lost + with.back().lost;
  }
  print_row("median", median_of(without), {});
  print_row(
      "median", median_of(with),
      Loss{.wall_clock = median(losses, &Loss::wall_clock), .cpu = median(losses, &Loss::cpu)});
  if (lost > 0) std::cerr << "bench_churn: " << lost << " messages never came\n";
  return lost > 0 ? 1 : 0;
}
