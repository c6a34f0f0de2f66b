// The command "reload" of the control socket: {"applied":true,"changed":[...],
// "needs_restart":[...],"errors":[...]}. What it does is for the program to say, which knows where
// its configuration comes from.
#pragma once

#include <functional>
#include <mutex>

#include "control/control.hpp"
#include <linnet/broker.hpp>

namespace linnet {

/// Any thread.
class ReloadRequests {
 public:
  /// When it returns, what was set before does not run any more. May be empty.
  void set(std::function<ReloadReport()> answer);
  /// For the control's thread. It outlives the control.
  void add_to(control::Control& control);

 private:
  std::mutex mutex_;
  std::function<ReloadReport()> answer_;
};

}  // namespace linnet
