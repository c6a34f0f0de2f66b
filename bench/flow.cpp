#include "flow.hpp"

#include <unistd.h>

#include "process_usage.hpp"
#include "statistics.hpp"
#include "steady_traffic.hpp"

namespace linnet::bench {

Flow measure_flow(Transport transport, const Options& options, std::chrono::seconds duration) {
  constexpr std::chrono::milliseconds kWarmUp{300};
  const auto context = client_context(transport);
  Traffic<TransportClient> traffic(
      options, [&] { return TransportClient(transport, options.port, context.get()); });
  traffic.run_until(Clock::now() + kWarmUp);
  Flow flow{.lost = traffic.drain()};

  const auto own_pid = static_cast<std::uint32_t>(::getpid());
  const auto delivered_before = traffic.delivered();
  const auto cpu_before_s = cpu_s(options.pid);
  const auto own_before_s = cpu_s(own_pid);
  const auto began = Clock::now();
  traffic.run_until(began + duration);
  const std::chrono::duration<double> elapsed = Clock::now() - began;
  const auto spent_s = cpu_s(options.pid) - cpu_before_s;
  const auto own_spent_s = cpu_s(own_pid) - own_before_s;
  const auto delivered = static_cast<double>(traffic.delivered() - delivered_before);
  if (delivered == 0) fail("nothing was delivered");
  flow.delivered_per_s = delivered / elapsed.count();
  flow.cpu_us = spent_s * 1e6 / delivered;
  flow.cpu_percent = 100 * spent_s / elapsed.count();
  flow.client_percent = 100 * own_spent_s / elapsed.count();
  flow.lost += traffic.drain();
  return flow;
}

Flow median_of(const std::vector<Flow>& rounds) {
  Flow middle{.delivered_per_s = median(rounds, &Flow::delivered_per_s),
              .cpu_us = median(rounds, &Flow::cpu_us),
              .cpu_percent = median(rounds, &Flow::cpu_percent),
              .client_percent = median(rounds, &Flow::client_percent)};
  for (const auto& round : rounds)
    middle.lost += round.lost;
  return middle;
}

}  // namespace linnet::bench
