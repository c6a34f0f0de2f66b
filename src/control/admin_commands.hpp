// The commands that look into a broker that runs:
//
//   {"command":"status"}                                     what it does, and what is wrong
//   {"command":"clients","limit":100,"after":"a"}            who is connected, by client identifier
//   {"command":"sessions","limit":100,"after":"a"}           the same, with those who are away
//   {"command":"sessions","client_id":"a"}                   one of them, with its subscriptions
//   {"command":"kick","client_id":"a","end_session":true}    ends a connection
//   {"command":"retained.list","filter":"a/#","limit":100}   retained messages, by topic
//   {"command":"retained.erase","filter":"a/#"}
//   {"command":"trace","client_id":"a","filter":"a/#"}       a line for each thing that happens
//   {"command":"top","interval_ms":2000}                     a line each time
//
// A list that does not hold all has a "next": where to go on, as "after".
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/budget.hpp"
#include "base/memory_budget.hpp"
#include "control/control.hpp"
#include "session/settings.hpp"
#include "shard/post_office.hpp"
#include "store/store.hpp"

namespace linnet::control {

/// How the commands reach a broker. What it names outlives the control socket.
struct AdminDoor {
  shard::PostOffice& post;
  const store::Store& store;
  const MemoryBudget& memory;
  const Budget& connections;
  const Budget& kept_sessions;
  std::string directory;
  std::uint64_t started_ms = 0;  // of the monotonic clock
  std::function<std::vector<std::string>()> addresses;
  std::function<session::SettingsPtr()> settings;  // any thread
};

/// Before Control::start(). The door outlives the control socket.
void add_admin_commands(Control& control, const AdminDoor& door);

}  // namespace linnet::control
