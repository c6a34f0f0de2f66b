// One line on standard error that says how the run goes. One thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace linnet::bench {

class Progress {
 public:
  explicit Progress(bool shown) noexcept : shown_(shown) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  /// What is counted from now on, and how many there are already: "warm-up", "queue" ...
  void begin(std::string_view name, std::uint64_t now, std::uint64_t count = 0) noexcept;
  /// Once a second it shows the line anew.
  void show(std::uint64_t count, std::uint64_t missing, std::uint64_t now) {
    if (shown_ && now >= next_) print(count, missing, now);
  }
  void clear();

 private:
  void print(std::uint64_t count, std::uint64_t missing, std::uint64_t now);

  const bool shown_;
  bool dirty_ = false;
  std::string_view name_;
  std::uint64_t began_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t last_ = 0;
  std::uint64_t last_count_ = 0;
};

}  // namespace linnet::bench
