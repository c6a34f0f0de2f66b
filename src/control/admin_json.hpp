// What was found in the shards, as the control socket says it.
#pragma once

#include <boost/json/fwd.hpp>

#include "shard/inquiry.hpp"
#include "shard/tops.hpp"
#include "shard/trace.hpp"

namespace linnet::control {

[[nodiscard]] boost::json::object json_of(const Counters& counters);
[[nodiscard]] boost::json::object json_of(const session::SessionFacts& facts);
[[nodiscard]] boost::json::object json_of(const shard::HeavyRow& row);
[[nodiscard]] boost::json::object json_of(const shard::TraceRecord& record);

/// An array of them.
[[nodiscard]] boost::json::array json_of(const std::vector<session::SessionFacts>& all);
[[nodiscard]] boost::json::array json_of(const std::vector<shard::HeavyRow>& all);

}  // namespace linnet::control
