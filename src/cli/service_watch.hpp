// Tells the service manager how the broker is: that the start is over once every thread of it does
// its turns, and from then on as often as the watchdog asks for it. Where there is no watchdog it
// sleeps for good.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "net/service_manager.hpp"

namespace linnet {
class Broker;
}

namespace linnet::cli {

class ServiceWatch {
 public:
  /// Broker and manager outlive it. run() of the broker may begin later.
  ServiceWatch(Broker& broker, net::ServiceManager& manager);
  ServiceWatch(const ServiceWatch&) = delete;
  ServiceWatch& operator=(const ServiceWatch&) = delete;
  ~ServiceWatch();

 private:
  void work();
  /// What the broker says, as soon as all of it answers; nothing if it is time to end.
  [[nodiscard]] std::optional<std::string> ask();
  /// False if it is time to end.
  [[nodiscard]] bool sleep(std::chrono::milliseconds time);

  Broker& broker_;
  net::ServiceManager& manager_;
  std::mutex mutex_;
  std::condition_variable something_;
  bool ending_ = false;
  std::thread thread_;  // last: it uses the others; none without a service manager
};

}  // namespace linnet::cli
