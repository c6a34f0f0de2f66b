// retained.list and retained.erase; see admin_commands.hpp.
#pragma once

#include "control/admin_commands.hpp"

namespace linnet::control {

/// The door outlives the control socket's conversations.
void add_retained_commands(Control& control, const AdminDoor& door);

}  // namespace linnet::control
