// Reads the configuration of `linnet run` again, as its command line said, and hands it to the
// broker: for SIGHUP and for `linnet reload`.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "cli/options.hpp"
#include "cli/system_user.hpp"
#include "net/service_manager.hpp"
#include <linnet/broker.hpp>

namespace linnet::cli {

class Reloader {
 public:
  /// The others outlive it. Has a thread of its own, so that signals are heard meanwhile.
  Reloader(const RunOptions& options, const SystemUser& user, Broker& broker,
           net::ServiceManager& manager);
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;
  /// Waits for a reload that is under way.
  ~Reloader();

  /// Any thread but the broker's shards; the report is logged. One at a time, the others wait.
  [[nodiscard]] ReloadReport reload();
  /// SIGHUP: reloads soon, and says so in the log when it is done. Several at once are one.
  void request();

 private:
  [[nodiscard]] ReloadReport read_and_reload();
  void work();

  const RunOptions options_;
  const SystemUser& user_;
  Broker& broker_;
  net::ServiceManager& manager_;
  std::mutex reloading_;  // from reading the file on, so that no older one comes last

  std::mutex mutex_;
  std::condition_variable something_;
  bool requested_ = false;
  bool stopping_ = false;

  std::thread thread_;  // last: it uses the others
};

}  // namespace linnet::cli
