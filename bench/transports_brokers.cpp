#include "transports_brokers.hpp"

#include <fstream>
#include <sstream>
#include <vector>

namespace linnet::bench {

std::string listener_of(Transport transport, const CertificateFiles& files) {
  std::string scheme = has_frames(transport) ? "ws" : "mqtt";
  if (has_tls(transport)) scheme += "s";
  auto toml = "[[listener]]\nurl = \"" + scheme + "://127.0.0.1:0" +
              (has_frames(transport) ? "/mqtt" : "") + "\"\n";
  if (has_tls(transport)) {
    toml += "tls.cert = \"" + files.certificate + "\"\ntls.key = \"" + files.key + "\"\n";
  }
  return toml;
}

RunningBroker start_linnet(const TransportOptions& options, const std::string& folder,
                           const std::string& listeners) {
  std::vector<std::string> settings{"threads=" + std::to_string(options.threads),
                                    "limits.connections_max=20000"};
  settings.insert(settings.end(), options.settings.begin(), options.settings.end());
  return RunningBroker::linnet(options.linnet, folder, settings, listeners);
}

RunningBroker start_mosquitto(const TransportOptions& options, const std::string& folder,
                              Transport transport, const CertificateFiles& files) {
  std::string lines;
  if (has_tls(transport)) {
    lines += "certfile " + files.certificate + "\nkeyfile " + files.key + "\n";
  }
  if (has_frames(transport)) lines += "protocol websockets\n";
  return RunningBroker::mosquitto(options.mosquitto, folder, lines);
}

bool mosquitto_has_websocket(const std::string& binary) {
  std::ostringstream bytes;
  bytes << std::ifstream(binary, std::ios::binary).rdbuf();
  return bytes.str().find("libwebsockets.so") != std::string::npos;
}

}  // namespace linnet::bench
