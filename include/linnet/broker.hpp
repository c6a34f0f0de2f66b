// The broker: all that a program which embeds Linnet needs.
//
//   std::string error;
//   auto broker = linnet::Broker::open(linnet::Config{}, error);
//   if (!broker) return report(error);
//   broker->run();                      // until request_stop(), from any thread
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <linnet/config.hpp>

namespace linnet {

/// What came of a reload; a line each.
struct ReloadReport {
  std::vector<std::string> changed;        // `limits.packet_size_max: "1MiB" -> "2MiB"`
  std::vector<std::string> needs_restart;  // `threads: 1 -> 4`: is as before until then
  std::vector<std::string> errors;         // with the file and its line, where there is one
  bool applied = false;                    // else nothing has changed
};

class Broker {
 public:
  /// Called once, by open(): the place to give up rights that only ports and keys needed. False
  /// ends the start, with the reason in `error`.
  using BeforeStore = std::function<bool(std::string& error)>;

  /// Binds the listeners and reads their keys, then calls `before_store`, then opens the store and
  /// begins to accept. Null if that fails; `error` then holds one line that names what is at fault
  /// and the mend. The keys `user`, `seccomp` and `core_dumps` are about the whole process: they
  /// are its program's to obey.
  [[nodiscard]] static std::unique_ptr<Broker> open(Config config, std::string& error,
                                                    const BeforeStore& before_store = {});
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;
  /// After run() has returned, or if it was never called. With TLS listeners it may write to
  /// sockets that are closed already: the program ignores SIGPIPE (the broker's own threads block
  /// it).
  ~Broker();

  /// Serves until it has been asked to stop and has stopped in order. Once per broker.
  void run();
  /// Ends in order, within limits.shutdown_timeout; from any thread.
  void request_stop() noexcept;
  /// Makes run() return at once, without a word to the clients; from any thread.
  void stop_now() noexcept;

  /// Goes over to this configuration while it runs, with all files that it names read again: all of
  /// it or, if anything is wrong, nothing. Waits until all connections and sessions have been
  /// looked at, or 30 s. The report is logged, too. From any thread; one at a time, the others
  /// wait.
  void reload(Config config, ReloadReport& report);
  /// Who answers `linnet reload`: it reads the configuration again, calls reload() and returns the
  /// report, on a thread of the broker. Nobody does before the first call, nor after one with an
  /// empty function; when that returns, the function of before has ended.
  void on_reload_request(std::function<ReloadReport()> answer);

  /// How it is, in one line: how many clients it serves, and what is wrong if anything is. Waits
  /// until all threads of the broker have answered; nothing if one has not within `patience`: it
  /// hangs, or does not run any more. From any other thread.
  [[nodiscard]] std::optional<std::string> health(std::chrono::milliseconds patience);

  /// The listeners' URLs, with the ports that were chosen where the configuration says 0.
  [[nodiscard]] std::vector<std::string> addresses() const;

 private:
  struct Impl;
  explicit Broker(std::unique_ptr<Impl> impl) noexcept;

  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet
