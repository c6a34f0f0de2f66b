// Topic aliases (MQTT 5.0, section 3.3.2.3.4), in both directions. They live with their connection,
// and hold memory only once they are used.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace linnet::session {

/// What a client has named. Bounded by the Topic Alias Maximum that CONNACK told it.
class IncomingAliases {
 public:
  /// `alias` is within the maximum.
  void set(std::uint16_t alias, std::string_view topic);
  /// Empty if the client has not named it.
  [[nodiscard]] std::string_view find(std::uint16_t alias) const noexcept;

 private:
  std::vector<std::string> topics_;  // alias 1 first
};

/// What we name towards a client: topics that come again and again, since only they save bytes. A
/// topic takes the place of one that is rare: each miss ages one place, each hit renews one.
class OutgoingAliases {
 public:
  explicit OutgoingAliases(std::uint16_t alias_max) : alias_max_(alias_max) {}

  struct Choice {
    std::uint16_t alias = 0;  // 0: send the topic alone
    bool is_new = false;      // send topic and alias; later the alias alone will do
  };
  /// Call it only for a PUBLISH that is then sent for certain.
  [[nodiscard]] Choice choose(std::string_view topic);

 private:
  struct Place {
    std::string topic;
    std::uint64_t hash = 0;
    std::uint8_t score = 0;
  };

  std::uint16_t alias_max_;
  std::uint16_t hand_ = 0;
  std::vector<Place> places_;
};

}  // namespace linnet::session
