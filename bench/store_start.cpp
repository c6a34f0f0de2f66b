#include "store_start.hpp"

#include <algorithm>
#include <csignal>
#include <iostream>

#include "process_usage.hpp"
#include "store_broker.hpp"
#include "store_disk.hpp"
#include "store_measure.hpp"
#include "wire.hpp"

namespace linnet::bench {

namespace {

constexpr std::uint32_t kSubscriptions = 10;  // of each session
constexpr std::uint32_t kOpen = 200;          // connections at one time

std::string id_of(std::uint32_t session) {
  return "bench-kept-" + std::to_string(session);
}

std::string subscribe_all_packet(std::uint32_t session) {
  auto body = two_bytes(1);
  for (std::uint32_t at = 0; at < kSubscriptions; ++at) {
    body += with_length("bench/kept/" + std::to_string(session) + "/" + std::to_string(at));
    body += '\x01';
  }
  return packet('\x82', body);
}

void add_sessions(const Target& target, std::uint32_t sessions) {
  const auto suback = packet('\x90', two_bytes(1) + std::string(kSubscriptions, '\x01'));
  for (std::uint32_t begin = 0; begin < sessions; begin += kOpen) {
    const auto end = std::min(begin + kOpen, sessions);
    std::vector<Descriptor> sockets;
    for (auto session = begin; session < end; ++session) {
      sockets.push_back(connect_to(target.port));
      send_whole(sockets.back(),
                 connect_packet(id_of(session), SessionKind::kept) + subscribe_all_packet(session));
    }
    for (const auto& socket : sockets) {
      expect(socket, std::string(kConnack) + suback);
      send_whole(socket, kDisconnect);
    }
    char rest = 0;
    for (const auto& socket : sockets) {
      if (::recv(socket.get(), &rest, 1, 0) != 0) fail("the broker does not close a session");
    }
  }
}

bool has_session(const Target& target, const std::string& client_id) {
  const auto socket = connect_to(target.port);
  send_whole(socket, connect_packet(client_id, SessionKind::kept));
  std::string answer(kConnack.size(), '\0');
  if (::recv(socket.get(), answer.data(), answer.size(), MSG_WAITALL) < 4) fail("no CONNACK");
  return answer == "\x20\x02\x01\x00"sv;
}

StoreFigures figures_of(const std::string& scenario, const RunningBroker& broker,
                        const std::string& folder) {
  StoreFigures figures;
  figures.scenario = scenario;
  figures.p50_ms = broker.ready_after_ms();
  const auto memory = memory_of(broker.target().pid);
  figures.resident_mib = memory.resident_mib;
  figures.anonymous_mib = memory.anonymous_mib;
  figures.peak_mib = memory.peak_mib;
  const auto disk = measure_disk(folder);
  figures.sync_ms = disk.sync_ms;
  figures.commit_ms = disk.commit_ms;
  return figures;
}

double missing_in(const Target& target, const StoreOptions& options,
                  const std::vector<std::uint64_t>& sent) {
  auto missing = fetch_retained(target, 0, sent).lost;
  const auto step = std::max(1U, options.start_sessions / 100);
  for (std::uint32_t session = 0; session < options.start_sessions; session += step)
    missing += has_session(target, id_of(session)) ? 0 : 1;
  return missing;
}

}  // namespace

std::vector<StoreFigures> measure_start(const std::string& folder,
                                        const std::vector<std::string>& settings,
                                        const StoreOptions& options) {
  std::vector<std::uint64_t> sent;
  {
    const auto broker = RunningBroker::linnet(options.linnet, folder, settings);
    sent = set_retained(broker.target(), options, options.start_retained);
    add_sessions(broker.target(), options.start_sessions);
  }
  std::vector<StoreFigures> ended;
  std::vector<StoreFigures> killed;
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    {
      auto broker = RunningBroker::linnet(options.linnet, folder, settings);
      ended.push_back(figures_of("start after an orderly end", broker, folder));
      broker.end(SIGKILL);
    }
    const auto broker = RunningBroker::linnet(options.linnet, folder, settings);
    killed.push_back(figures_of("start after kill -9", broker, folder));
    killed.back().lost = missing_in(broker.target(), options, sent);
  }
  return {median_of(ended), median_of(killed)};
}

}  // namespace linnet::bench
