// A command of the control socket whose answer takes its time, or has no end. It speaks in lines,
// whenever it has something to say, while others are served. On the control socket's thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/json/fwd.hpp>

#include "base/mailbox.hpp"

namespace linnet::control {

class Conversation {
 public:
  virtual ~Conversation() = default;

  /// Appends whole lines to `output`, not many more than kOutputMax bytes at once. False: that was
  /// the last of it. Called at the beginning, after the waker was woken, when due_ms() has come,
  /// and when what was said has been taken.
  [[nodiscard]] virtual bool speak(std::string& output) = 0;
  /// When speak() is wanted at the latest, in ms of the monotonic clock.
  [[nodiscard]] virtual std::uint64_t due_ms() const = 0;
  /// It goes on until its client goes.
  [[nodiscard]] virtual bool endless() const noexcept { return false; }
};

/// Begins a conversation; null: `error` says why not. `waker` outlives it; any thread may wake it.
using Opening = std::function<std::unique_ptr<Conversation>(const boost::json::object& request,
                                                            Waker& waker, std::string& error)>;

}  // namespace linnet::control
