#include "access_brokers.hpp"

namespace linnet::bench {

namespace {

RunningBroker start_linnet(const AccessOptions& options, const std::string& folder,
                           const AccessFiles& files) {
  std::vector<std::string> settings{"threads=1", "allow_anonymous=true",
                                    "auth.password_file=" + files.passwords};
  if (!files.rules.empty()) settings.push_back("auth.acl_file=" + files.rules);
  settings.insert(settings.end(), options.settings.begin(), options.settings.end());
  return RunningBroker::linnet(options.linnet, folder, settings);
}

RunningBroker start_mosquitto(const AccessOptions& options, const std::string& folder,
                              const AccessFiles& files) {
  auto lines = "password_file " + files.passwords + "\n";
  if (!files.rules.empty()) lines += "acl_file " + files.rules + "\n";
  return RunningBroker::mosquitto(options.mosquitto, folder, lines);
}

}  // namespace

std::vector<Broker> brokers_of(const AccessOptions& options) {
  std::vector<Broker> brokers{{.name = "Linnet", .is_linnet = true}};
  if (!options.mosquitto.empty()) brokers.push_back({.name = "Mosquitto", .is_linnet = false});
  return brokers;
}

RunningBroker start_broker(const Broker& broker, const AccessOptions& options,
                           const std::string& folder, const AccessFiles& files) {
  return broker.is_linnet ? start_linnet(options, folder, files)
                          : start_mosquitto(options, folder, files);
}

}  // namespace linnet::bench
