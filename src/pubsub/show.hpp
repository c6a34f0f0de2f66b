// How a message is printed: raw for programs, with colours and without tricks on a terminal. Pure,
// but for the time zone.
#pragma once

#include <string>

#include "pubsub/format.hpp"
#include "pubsub/options.hpp"

namespace linnet::pubsub {

class Show {
 public:
  /// The settings outlive it.
  explicit Show(const Settings& settings) noexcept : settings_(settings) {}

  /// Appends the message as it is to be printed. Not empty: what is wrong with it, and then nothing
  /// has been appended.
  [[nodiscard]] std::string append(std::string& out, const Arrival& arrival) const;

 private:
  void append_raw(std::string& out, const mqtt::ReceivedPublish& publish) const;
  void append_for_people(std::string& out, const mqtt::ReceivedPublish& publish) const;
  void append_json(std::string& out, const Arrival& arrival) const;

  const Settings& settings_;
};

}  // namespace linnet::pubsub
