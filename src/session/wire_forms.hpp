// Encode once per wire form: while one publication fans out, the bytes of its PUBLISH are kept for
// each combination of version, QoS and retain flag, and copied for every receiver that needs
// nothing else in them. One per shard; the memory is used again for every publication.
#pragma once

#include <array>
#include <string>

#include "base/message.hpp"
#include "mqtt/encode.hpp"

namespace linnet::session {

class WireForms {
 public:
  struct Form {
    std::string head;  // all but the payload
    mqtt::PublishLayout layout;
    std::uint64_t fan_out = 0;  // for which publication these bytes are
    std::size_t topic_size = 0;
    std::size_t payload_size = 0;
  };

  /// A publication with several receivers begins; end() when all have got it.
  void begin() noexcept {
    ++fan_out_;
    active_ = true;
  }
  void end() noexcept { active_ = false; }
  [[nodiscard]] bool active() const noexcept { return active_; }

  /// The bytes of `publish`, which must be of the publication at hand and carry nothing that is of
  /// one receiver only (alias, identifiers, dropped, DUP). Its packet identifier is not in them
  /// yet.
  [[nodiscard]] const Form& get(const mqtt::OutgoingPublish& publish, Version version);

 private:
  std::array<Form, 12> forms_;
  std::uint64_t fan_out_ = 0;
  bool active_ = false;
};

}  // namespace linnet::session
