#include "transports_memory.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "bench_folder.hpp"
#include "process_usage.hpp"
#include "table_cells.hpp"
#include "transports_brokers.hpp"

namespace linnet::bench {

namespace {

struct Idle {
  double bytes = 0;      // of anonymous memory, for each connection
  double opened_ms = 0;  // the broker's CPU time for the opening of one
};

constexpr auto kTransports = std::to_array<Transport>(
    {Transport::tcp, Transport::tls13, Transport::tls12, Transport::ws, Transport::wss});

/// When it has not changed for a second; or after a while, if it never rests.
double rested_bytes(std::uint32_t pid) {
  constexpr std::chrono::milliseconds kStep{50};
  constexpr int kStepsOfRest = 20;
  constexpr int kStepsMax = 300;
  const auto now = [pid] { return proc_number(pid, "status", "RssAnon:"); };
  auto kib = now();
  int rested = 0;
  for (int step = 0; step < kStepsMax && rested < kStepsOfRest; ++step) {
    std::this_thread::sleep_for(kStep);
    const auto next = now();
    rested = next == kib ? rested + 1 : 0;
    kib = next;
  }
  return static_cast<double>(kib) * 1024;
}

TransportClient connected(Transport transport, std::uint32_t port, SSL_CTX* context,
                          std::size_t index) {
  TransportClient client(transport, port, context);
  client.send_whole(connect_packet("bench-idle-" + std::to_string(index)));
  client.expect(kConnack);
  return client;
}

// A broker of its own, so that what one transport has freed does not hide what the next one takes.
Idle measure_idle(Transport transport, const TransportOptions& options,
                  const CertificateFiles& files) {
  const BenchFolder folder(options.folder);
  auto broker = start_linnet(options, folder.path(), listener_of(transport, files));
  const auto target = broker.target();
  const auto context = client_context(transport);
  std::vector<TransportClient> clients;
  // The first one makes the broker load what all of them share.
  clients.push_back(connected(transport, target.port, context.get(), 0));
  const auto bytes_before = rested_bytes(target.pid);
  const auto cpu_before_s = cpu_s(target.pid);
  for (std::size_t index = 1; index <= options.connections; ++index)
    clients.push_back(connected(transport, target.port, context.get(), index));
  const auto cpu_after_s = cpu_s(target.pid);
  const auto bytes_after = rested_bytes(target.pid);
  broker.end(SIGKILL);
  const auto count = static_cast<double>(options.connections);
  return {.bytes = (bytes_after - bytes_before) / count,
          .opened_ms = (cpu_after_s - cpu_before_s) * 1e3 / count};
}

struct Bound {
  std::string_view what;
  Transport of;
  Transport above;
  double bytes_max;
};

constexpr double kKib = 1024;
constexpr auto kBounds = std::to_array<Bound>({
    {"TLS 1.3 above tcp, bytes", Transport::tls13, Transport::tcp, 15 * kKib},
    {"TLS 1.2 above tcp, bytes", Transport::tls12, Transport::tcp, 15 * kKib},
    {"ws above tcp, bytes", Transport::ws, Transport::tcp, 3.5 * kKib},
    {"wss above TLS 1.3, bytes", Transport::wss, Transport::tls13, 3.5 * kKib},
});

void print_targets(const std::map<Transport, Idle>& idle) {
  std::cout << "targets\n";
  for (const auto& bound : kBounds) {
    const auto above = idle.at(bound.of).bytes - idle.at(bound.above).bytes;
    print_target(bound.what, number(above, 0), "at most " + number(bound.bytes_max, 0),
                 above <= bound.bytes_max);
  }
}

}  // namespace

void measure_memory(const TransportOptions& options, const std::string& certificates) {
  const auto files = make_certificate(KeyKind::p256, certificates);
  std::cout << "\nidle memory: " << options.connections << " connections of each transport\n";
  print_name("transport", 12);
  std::cout << "  bytes each  above tcp  CPU ms to open\n";
  std::map<Transport, Idle> idle;
  for (const auto transport : kTransports) {
    const auto figures = idle[transport] = measure_idle(transport, options, files);
    print_name(name_of(transport), 12);
    print_cell(number(figures.bytes, 0), 12);
    print_cell(number(figures.bytes - idle.at(Transport::tcp).bytes, 0), 11);
    print_cell(number(figures.opened_ms, 3), 16);
    std::cout << '\n' << std::flush;
  }
  print_targets(idle);
}

}  // namespace linnet::bench
