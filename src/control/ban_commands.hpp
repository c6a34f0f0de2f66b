// The commands that concern banned addresses, of a broker that runs:
//
//   {"command":"ban.list"}                                   -> {"bans":[{"address":"192.0.2.7",
//                                       "left_ms":59500,"times":1,"by_hand":false}, ...]}
//   {"command":"ban.add","address":"192.0.2.7","time_ms":3600000}   without time_ms: until lifted
//   {"command":"ban.lift","address":"2001:db8::/64"}         -> {"lifted":1}
//   {"command":"ban.lift","all":true}                        -> {"lifted":7}
//
// A ban that holds until it is lifted has no left_ms. Each answer to a ban.add says which "address"
// it has banned: of IPv6, a /64.
#pragma once

#include "auth/bans.hpp"
#include "control/control.hpp"

namespace linnet::control {

/// Before Control::start(). The bans must outlive the control socket.
void add_ban_commands(Control& control, auth::Bans& bans);

}  // namespace linnet::control
