// trace and top, which go on until their client goes; see admin_commands.hpp.
#pragma once

#include "control/admin_commands.hpp"

namespace linnet::control {

/// The door outlives the control socket's conversations.
void add_watch_commands(Control& control, const AdminDoor& door);

}  // namespace linnet::control
