// Starts the brokers that are measured, with passwords and rules.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "access_options.hpp"
#include "store_broker.hpp"

namespace linnet::bench {

struct AccessFiles {
  std::string passwords;
  std::string rules;  // empty: none
};

struct Broker {
  std::string_view name;
  bool is_linnet;
};

/// Linnet, and Mosquitto if there is one.
[[nodiscard]] std::vector<Broker> brokers_of(const AccessOptions& options);

/// Whoever has no name gets in as well.
[[nodiscard]] RunningBroker start_broker(const Broker& broker, const AccessOptions& options,
                                         const std::string& folder, const AccessFiles& files);

}  // namespace linnet::bench
