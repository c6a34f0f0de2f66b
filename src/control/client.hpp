// The other end of the control socket: one request to a broker that runs. Blocks. Any thread.
#pragma once

#include <string>

#include <boost/json/fwd.hpp>

namespace linnet::control {

/// Asks the broker that holds `directory`. True if it has done what was asked; `reply` is its whole
/// answer, without "ok". Otherwise `error` says why not, in one line. Waits as long as it takes.
[[nodiscard]] bool ask(const std::string& directory, const boost::json::object& request,
                       boost::json::object& reply, std::string& error);

}  // namespace linnet::control
