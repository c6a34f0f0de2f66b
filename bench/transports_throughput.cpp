#include "transports_throughput.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench_folder.hpp"
#include "flow.hpp"
#include "table_cells.hpp"
#include "transports_brokers.hpp"

namespace linnet::bench {

namespace {

constexpr auto kTransports =
    std::to_array<Transport>({Transport::tcp, Transport::tls13, Transport::ws, Transport::wss});
constexpr auto kPayloads = std::to_array<std::uint32_t>({16, 1'024});

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
    const Options traffic{
        .port = broker.target().port, .pid = broker.target().pid, .payload_bytes = kPayloads[at]};
    contender.rounds_of_payload[at].push_back(
        measure_flow(transport, traffic, std::chrono::seconds(options.throughput_s)));
  }
  broker.end(SIGTERM);
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
