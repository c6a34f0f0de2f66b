// bench_access: what guessed passwords and rules cost those who are let in, on brokers that it
// starts. See README.md.

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <iostream>

#include "access_guesses.hpp"
#include "access_options.hpp"
#include "access_rules.hpp"
#include "descriptors.hpp"
#include "table_cells.hpp"

using namespace linnet::bench;  // NOLINT: this file is one program

int main(int count, char** arguments) {
  auto options = parse_access_options(count, arguments);
  std::filesystem::create_directories(options.folder);
  options.folder = std::filesystem::absolute(options.folder).string();
  allow_many_descriptors();
  ::signal(SIGPIPE, SIG_IGN);

  print_load();
  std::uint64_t lost = 0;
  if (options.wants("guesses")) lost += measure_guesses(options);
  if (options.wants("rules")) lost += measure_rules(options);
  if (lost > 0) std::cerr << "bench_access: " << lost << " messages were lost\n";
  return lost > 0 ? 1 : 0;
}
