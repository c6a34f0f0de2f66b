// Where the payloads of `linnet pub` and `linnet rr` come from: the command line, a file, standard
// input as a whole, or its lines. A payload that no MQTT packet can carry is refused before it is
// read, or as soon as there is too much of it. One thread.
//
//   auto source = Source::open(settings, loop, error);     // null: `error` says why
//   if (source->next(payload) == Source::State::message) publish(payload);
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "client/loop.hpp"
#include "pubsub/options.hpp"

namespace linnet::pubsub {

/// What a PUBLISH can carry beside a topic and nothing else, and thus never more.
inline constexpr std::size_t kPayloadMax = 268'435'455 - 2 - 1;

class Source {
 public:
  enum class State : std::uint8_t {
    message,  // here it is
    wait,     // nothing now: ask again after the next turn, or when wait_until() says
    end,      // no more will come
    failed,   // fault() says why
  };

  /// Reads files and, for -s, standard input, to their end.
  [[nodiscard]] static std::unique_ptr<Source> open(const Settings& settings, client::Loop& loop,
                                                    std::string& error);
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  [[nodiscard]] virtual State next(std::string& payload) = 0;
  /// The server has answered the last message: delays count from here.
  virtual void note_answered(std::uint64_t /*now_ns*/) {}
  /// No message is wanted for now: the loop need not watch the input.
  virtual void rest() {}
  [[nodiscard]] virtual std::uint64_t wait_until() const noexcept { return ~std::uint64_t{0}; }
  [[nodiscard]] virtual std::string fault() const { return {}; }
};

/// Reads all of a file, or standard input if `path` is empty or "-". Nothing if that fails or if it
/// is larger than a payload may be; a plain file's size is looked at first.
[[nodiscard]] std::optional<std::string> read_payload(const std::string& path, std::size_t size_max,
                                                      std::string& error);

}  // namespace linnet::pubsub
