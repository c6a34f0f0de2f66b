// A broker that this program starts, and that ends with it.
#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace linnet::bench {

/// Where a broker listens, and which process it is.
struct Target {
  std::string host = "127.0.0.1";
  std::uint32_t port = 0;
  std::uint32_t pid = 0;  // 0: unknown
};

class RunningBroker {
 public:
  /// Waits until it is ready. Its data and its log are in `folder`, which may hold those of an
  /// earlier run. `settings` are KEY=VALUE. `listeners` is TOML, with any port; without it, there
  /// is one of mqtt.
  static RunningBroker linnet(const std::string& binary, const std::string& folder,
                              const std::vector<std::string>& settings,
                              const std::string& listeners = {});
  /// `listener_lines` are settings of its one listener.
  static RunningBroker mosquitto(const std::string& binary, const std::string& folder,
                                 const std::string& listener_lines = {});

  RunningBroker(RunningBroker&& other) noexcept;
  RunningBroker& operator=(RunningBroker&&) = delete;
  ~RunningBroker();

  /// Its first listener.
  [[nodiscard]] const Target& target() const { return target_; }
  /// Where Linnet listens, in the order of its listeners.
  [[nodiscard]] std::vector<std::uint32_t> ports() const;
  /// From its start until it was ready.
  [[nodiscard]] double ready_after_ms() const { return ready_after_ms_; }
  /// What it has logged.
  [[nodiscard]] std::string log() const;

  /// Sends the signal, and waits for the end.
  void end(int signal);

 private:
  RunningBroker(const std::vector<std::string>& arguments, std::string log_path);

  void wait_for_log(const std::string& line);
  void wait_for_port();
  [[noreturn]] void fail_to_start();

  std::string log_path_;
  Target target_;
  pid_t process_ = -1;
  std::int64_t began_ns_ = 0;
  double ready_after_ms_ = 0;
};

}  // namespace linnet::bench
