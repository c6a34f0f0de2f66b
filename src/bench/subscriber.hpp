// A client that subscribes, counts what comes, and acknowledges each read's messages in one send.
#pragma once

#include "bench/client.hpp"
#include "bench/traffic.hpp"

namespace linnet::bench {

class Subscriber final : public Client {
 public:
  /// What is to be done once connected.
  enum class Purpose : std::uint8_t {
    subscribe,  // ready with the SUBACK
    resume,     // ready with the CONNACK, which has to say that the session was kept
    wait,       // ready with the CONNACK; subscribe() is called later
  };

  Subscriber(const Place& place, Crowd& crowd, Traffic& traffic, std::uint32_t number, Qos qos)
      : Client(place, crowd, "subscriber", number), traffic_(traffic), qos_(qos) {}

  void set_purpose(Purpose purpose) noexcept { purpose_ = purpose; }
  void subscribe();

 private:
  void on_connack(const ConnackAnswer& answer) override;
  [[nodiscard]] std::size_t on_bytes(std::string_view bytes) override;
  /// Writes the acknowledgement to `ack`, and says how many bytes that is. Nothing at a fault.
  [[nodiscard]] std::size_t on_packet(const Found& found, char* ack);
  [[nodiscard]] std::size_t on_publish(const Found& found, char* ack);
  void on_suback(std::string_view body);

  Traffic& traffic_;
  Qos qos_;
  Purpose purpose_ = Purpose::subscribe;
};

}  // namespace linnet::bench
