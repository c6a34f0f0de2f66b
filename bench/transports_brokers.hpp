// Starts the brokers that are measured, with listeners for the transports.
#pragma once

#include <string>

#include "store_broker.hpp"
#include "transports_certificates.hpp"
#include "transports_client.hpp"
#include "transports_options.hpp"

namespace linnet::bench {

/// TOML for a listener on a free port of 127.0.0.1.
[[nodiscard]] std::string listener_of(Transport transport, const CertificateFiles& files);

/// Linnet with these listeners.
[[nodiscard]] RunningBroker start_linnet(const TransportOptions& options, const std::string& folder,
                                         const std::string& listeners);

/// Mosquitto with one listener.
[[nodiscard]] RunningBroker start_mosquitto(const TransportOptions& options,
                                            const std::string& folder, Transport transport,
                                            const CertificateFiles& files);

/// Whether this Mosquitto was built with WebSocket, as far as one can tell from outside.
[[nodiscard]] bool mosquitto_has_websocket(const std::string& binary);

}  // namespace linnet::bench
