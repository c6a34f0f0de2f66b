#include "transports_storm.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <iostream>
#include <optional>
#include <string_view>

#include "bench_folder.hpp"
#include "process_usage.hpp"
#include "statistics.hpp"
#include "table_cells.hpp"
#include "transports_arrivals.hpp"
#include "transports_brokers.hpp"
#include "transports_latency.hpp"

namespace linnet::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kKeys = std::to_array<KeyKind>({KeyKind::p256, KeyKind::rsa2048});
constexpr auto kArrivals = std::to_array<Arrival>({Arrival::handshake, Arrival::half_open});

struct Phase {
  double arrived_per_s = 0;
  double messages_per_s = 0;
  double p50_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
  double cpu_percent = 0;  // the broker's
  std::uint64_t lost = 0;
};

/// Who arrives meanwhile, and where.
struct Storm {
  Arrival arrival;
  std::uint32_t port;
};

Phase measure_phase(PairTraffic& traffic, std::uint32_t pid, const std::optional<Storm>& storm,
                    const TransportOptions& options) {
  (void)settled_usage_of(pid);
  std::optional<Arrivals> arrivals;
  if (storm) arrivals.emplace(storm->arrival, storm->port, options.arrivals_per_s);
  const auto began = Clock::now();
  const auto cpu_before_s = cpu_s(pid);
  const auto latencies = traffic.run(std::chrono::seconds(options.storm_s));
  const std::chrono::duration<double> elapsed = Clock::now() - began;
  return {
      .arrived_per_s = arrivals ? static_cast<double>(arrivals->completed()) / elapsed.count() : 0,
      .messages_per_s = static_cast<double>(latencies.ms.size()) / elapsed.count(),
      .p50_ms = percentile(latencies.ms, 50),
      .p99_ms = percentile(latencies.ms, 99),
      .max_ms = percentile(latencies.ms, 100),
      .cpu_percent = 100 * (cpu_s(pid) - cpu_before_s) / elapsed.count(),
      .lost = latencies.lost};
}

std::string_view arrivals_of(const std::optional<Storm>& storm) {
  if (!storm) return "none";
  return storm->arrival == Arrival::handshake ? "handshakes" : "half-open";
}

void print_phase(std::string_view arrivals, std::string_view key, const Phase& phase,
                 const Phase& quiet) {
  print_name(arrivals, 12);
  print_name(key, 10);
  print_cell(number(phase.arrived_per_s, 0), 9);
  print_cell(number(phase.messages_per_s, 0), 11);
  print_cell(number(phase.p50_ms, 3), 9);
  print_cell(number(phase.p99_ms, 3), 9);
  print_cell(number(phase.max_ms, 3), 9);
  print_cell(ratio(phase.p50_ms, quiet.p50_ms), 11);
  print_cell(ratio(phase.p99_ms, quiet.p99_ms), 11);
  print_cell(number(phase.cpu_percent, 1), 7);
  print_cell(std::to_string(phase.lost), 7);
  std::cout << '\n' << std::flush;
}

std::uint64_t measure_over(Transport transport, const TransportOptions& options,
                           const std::array<CertificateFiles, kKeys.size()>& files) {
  const BenchFolder folder(options.folder);
  auto listeners = listener_of(Transport::tcp, {});
  for (const auto& certificate : files)
    listeners += listener_of(Transport::tls13, certificate);
  auto broker = start_linnet(options, folder.path(), listeners);
  const auto ports = broker.ports();
  if (ports.size() != 1 + files.size()) fail("a listener is missing:\n" + broker.log());
  const auto pid = broker.target().pid;
  PairTraffic traffic(transport, ports[has_tls(transport) ? 1 : 0], options.pairs,
                      options.messages_per_s);

  std::cout << "\nestablished clients over " << name_of(transport) << ": " << options.pairs
            << " pairs\n";
  print_name("arrivals", 12);
  print_name("key", 10);
  std::cout << "  reached/s  messages/s  p50 ms   p99 ms   max ms  p50 ratio  p99 ratio  CPU %"
               "   lost\n";
  const auto quiet = measure_phase(traffic, pid, {}, options);
  print_phase(arrivals_of(std::nullopt), "", quiet, quiet);
  auto lost = quiet.lost;
  for (const auto arrival : kArrivals) {
    for (std::size_t key = 0; key < kKeys.size(); ++key) {
      const Storm storm{.arrival = arrival, .port = ports[1 + key]};
      const auto phase = measure_phase(traffic, pid, storm, options);
      print_phase(arrivals_of(storm), kKeys[key] == KeyKind::p256 ? "P-256" : "RSA 2048", phase,
                  quiet);
      lost += phase.lost;
    }
  }
  broker.end(SIGTERM);
  return lost;
}

}  // namespace

std::uint64_t measure_storm(const TransportOptions& options, const std::string& certificates) {
  std::array<CertificateFiles, kKeys.size()> files;
  for (std::size_t key = 0; key < kKeys.size(); ++key)
    files[key] = make_certificate(kKeys[key], certificates);
  std::cout << "\nlatency while " << options.arrivals_per_s << " a second arrive over TLS 1.3, "
            << options.storm_s << " s each\n";
  return measure_over(Transport::tcp, options, files) +
         measure_over(Transport::tls13, options, files);
}

}  // namespace linnet::bench
