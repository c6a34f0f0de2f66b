// How much each room of the broker logs: as the configuration says, until somebody says otherwise
// through the control socket.
#pragma once

#include "control/control.hpp"
#include <linnet/config.hpp>

namespace linnet {

/// As `log.level` and `log.levels` say. Any thread.
void use_log_levels(const Config& config) noexcept;

/// {"command":"log"} and {"command":"log","levels":{"session":"debug","all":"info"}}, both answered
/// by the levels of now: {"levels":{"all":"info","session":"debug"}}. "default" is as all others.
/// A reload goes back to what the configuration says.
void add_log_command(control::Control& control);

}  // namespace linnet
