#include "transports_throughput.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

#include "bench_folder.hpp"
#include "options.hpp"
#include "process_usage.hpp"
#include "statistics.hpp"
#include "steady_traffic.hpp"
#include "table_cells.hpp"
#include "transports_brokers.hpp"

namespace linnet::bench {

namespace {

constexpr auto kTransports =
    std::to_array<Transport>({Transport::tcp, Transport::tls13, Transport::ws, Transport::wss});
constexpr auto kPayloads = std::to_array<std::uint32_t>({16, 1'024});

struct Flow {
  double delivered_per_s = 0;
  double cpu_us = 0;          // the broker's, for each delivery
  double cpu_percent = 0;     // the broker's
  double client_percent = 0;  // ours
  std::uint64_t lost = 0;
};

Flow measure_flow(const Target& target, Transport transport, std::uint32_t payload_bytes,
                  const TransportOptions& options) {
  constexpr std::chrono::milliseconds kWarmUp{300};
  const Options traffic_options{
      .port = target.port, .pid = target.pid, .payload_bytes = payload_bytes};
  const auto context = client_context(transport);
  Traffic<TransportClient> traffic(
      traffic_options, [&] { return TransportClient(transport, target.port, context.get()); });
  traffic.run_until(Clock::now() + kWarmUp);
  Flow flow{.lost = traffic.drain()};

  const auto own_pid = static_cast<std::uint32_t>(::getpid());
  const auto delivered_before = traffic.delivered();
  const auto cpu_before_s = cpu_s(target.pid);
  const auto own_before_s = cpu_s(own_pid);
  const auto began = Clock::now();
  traffic.run_until(began + std::chrono::seconds(options.throughput_s));
  const std::chrono::duration<double> elapsed = Clock::now() - began;
  const auto spent_s = cpu_s(target.pid) - cpu_before_s;
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

struct Contender {
  std::string_view name;
  bool is_linnet;
  std::vector<std::vector<Flow>> rounds_of_payload{kPayloads.size()};
};

void measure_round(Contender& contender, Transport transport, const CertificateFiles& files,
                   const TransportOptions& options) {
  const BenchFolder folder(options.folder);
  auto broker = contender.is_linnet
                    ? start_linnet(options, folder.path(), listener_of(transport, files))
                    : start_mosquitto(options, folder.path(), transport, files);
  for (std::size_t at = 0; at < kPayloads.size(); ++at) {
    contender.rounds_of_payload[at].push_back(
        measure_flow(broker.target(), transport, kPayloads[at], options));
  }
  broker.end(SIGTERM);
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

/// `tcp_cpu_us` is the same broker's over plain TCP.
void print_flow(std::string_view broker, const Flow& flow, const Flow* peer, double tcp_cpu_us) {
  print_name(broker, 11);
  print_cell(number(flow.delivered_per_s, 0), 12);
  print_cell(peer == nullptr ? "" : ratio(flow.delivered_per_s, peer->delivered_per_s), 7);
  print_cell(number(flow.cpu_us, 3), 9);
  print_cell(peer == nullptr ? "" : ratio(flow.cpu_us, peer->cpu_us), 7);
  print_cell(ratio(flow.cpu_us, tcp_cpu_us), 8);
  print_cell(number(flow.cpu_percent, 0), 7);
  print_cell(number(flow.client_percent, 0), 13);
  print_cell(std::to_string(flow.lost), 7);
  std::cout << '\n';
}

/// CPU time by broker and payload.
using TcpCosts = std::map<std::pair<std::string_view, std::uint32_t>, double>;

std::uint64_t print_flows(Transport transport, const std::vector<Contender>& contenders,
                          TcpCosts& tcp_costs) {
  std::uint64_t lost = 0;
  for (std::size_t at = 0; at < kPayloads.size(); ++at) {
    const auto peer = median_of(contenders.back().rounds_of_payload[at]);
    for (const auto& contender : contenders) {
      const auto flow = median_of(contender.rounds_of_payload[at]);
      lost += flow.lost;
      // TCP comes first.
      const auto tcp = tcp_costs.try_emplace({contender.name, kPayloads[at]}, flow.cpu_us).first;
      print_name(name_of(transport), 11);
      print_cell(std::to_string(kPayloads[at]), 7);
      std::cout << "  ";
      const bool is_peer = &contender == &contenders.back();
      print_flow(contender.name, flow, is_peer ? nullptr : &peer, tcp->second);
    }
  }
  std::cout << std::flush;
  return lost;
}

std::uint64_t compare_on(Transport transport, const CertificateFiles& files,
                         const TransportOptions& options, TcpCosts& tcp_costs) {
  std::vector<Contender> contenders{{.name = "Linnet", .is_linnet = true}};
  if (!options.mosquitto.empty() &&
      (!has_frames(transport) || mosquitto_has_websocket(options.mosquitto))) {
    contenders.push_back({.name = "Mosquitto", .is_linnet = false});
  }
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    for (auto& contender : contenders)
      measure_round(contender, transport, files, options);
  }
  return print_flows(transport, contenders, tcp_costs);
}

}  // namespace

std::uint64_t measure_throughput(const TransportOptions& options, const std::string& certificates) {
  const auto files = make_certificate(KeyKind::p256, certificates);
  std::cout << "\nthroughput: 10 publishers to 10 subscribers, QoS 0, medians of " << options.rounds
            << (options.rounds > 1 ? " rounds\n" : " round\n");
  if (!options.mosquitto.empty() && !mosquitto_has_websocket(options.mosquitto)) {
    std::cout << "this Mosquitto has no WebSocket\n";
  }
  print_name("transport", 11);
  std::cout << "payload  ";
  print_name("broker", 11);
  std::cout << " delivered/s  ratio   CPU us  ratio  to tcp  CPU %  client CPU %   lost\n";
  TcpCosts tcp_costs;
  std::uint64_t lost = 0;
  for (const auto transport : kTransports)
    lost += compare_on(transport, files, options, tcp_costs);
  return lost;
}

}  // namespace linnet::bench
