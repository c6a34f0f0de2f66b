// The parts of resolve() that are about the broker: where it is, and who we are to it. Private to
// this room.
#pragma once

#include <string>
#include <string_view>

#include "pubsub/options.hpp"

namespace linnet::pubsub {

/// Keeps the first of many complaints.
class Check {
 public:
  explicit Check(std::string& error) noexcept : error_(error) {}
  void that(bool is_fine, std::string_view complaint) {
    if (!is_fine && ok()) error_ = complaint;
  }
  [[nodiscard]] bool ok() const noexcept { return error_.empty(); }

 private:
  std::string& error_;
};

/// Takes URL, host and port, and TLS. A URL's user, password and topic go to `options`.
[[nodiscard]] bool set_target(Options& options, Settings& settings, std::string& error);
/// User name and password.
void set_login(const Options& options, Settings& settings, Check& check);

/// "linnet-" and 16 characters that nobody else has: 23 bytes, as MQTT 3.1 allows them.
[[nodiscard]] std::string random_name();

}  // namespace linnet::pubsub
