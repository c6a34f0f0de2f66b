// bench_transports: what TLS and WebSocket cost beside plain TCP, in memory, latency and CPU time,
// on brokers that it starts. See README.md.

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <iostream>

#include "descriptors.hpp"
#include "table_cells.hpp"
#include "transports_memory.hpp"
#include "transports_options.hpp"
#include "transports_storm.hpp"
#include "transports_throughput.hpp"
#include "wire.hpp"

using namespace linnet::bench;  // NOLINT: this file is one program

int main(int count, char** arguments) {
  auto options = parse_transport_options(count, arguments);
  std::filesystem::create_directories(options.folder);
  options.folder = std::filesystem::absolute(options.folder).string();
  allow_many_descriptors();
  // OpenSSL writes with write(2).
  ::signal(SIGPIPE, SIG_IGN);

  print_load();
  std::uint64_t lost = 0;
  if (options.wants("memory")) measure_memory(options, options.folder);
  if (options.wants("storm")) lost += measure_storm(options, options.folder);
  if (options.wants("throughput")) lost += measure_throughput(options, options.folder);
  if (lost > 0) std::cerr << "bench_transports: " << lost << " messages were lost\n";
  return lost > 0 ? 1 : 0;
}
