// What the tables are made of.
#pragma once

#include <fstream>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

namespace linnet::bench {

inline std::string number(double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

inline std::string ratio(double value, double other) {
  return other > 0 ? number(value / other, 2) : "-";
}

/// At the right of its column.
inline void print_cell(std::string_view text, int width) {
  std::cout << std::right << std::setw(width) << text;
}

/// At the left of its column.
inline void print_name(std::string_view text, int width) {
  std::cout << std::left << std::setw(width) << text << std::right;
}

inline void print_target(std::string_view what, std::string_view measured, std::string_view bound,
                         bool met) {
  std::cout << "  " << (met ? "met    " : "MISSED ");
  print_name(what, 46);
  print_cell(measured, 12);
  std::cout << "   " << bound << '\n';
}

/// A busy machine makes everything look slow: whoever waits for a disk or a peer has to wait for a
/// core, too.
inline void print_load() {
  double load = 0;
  if (!(std::ifstream("/proc/loadavg") >> load)) return;
  std::cout << "load of the last minute: " << load << " on " << std::thread::hardware_concurrency()
            << " cores\n";
}

}  // namespace linnet::bench
