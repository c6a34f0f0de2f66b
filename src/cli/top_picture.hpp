// What `linnet top` shows: a picture from two answers of the broker, one after the other. Pure.
#pragma once

#include <string>
#include <vector>

#include <boost/json/fwd.hpp>

namespace linnet::cli {

/// How much of each counter there was per second between the two.
[[nodiscard]] boost::json::object rates_between(const boost::json::object& before,
                                                const boost::json::object& now);

/// The lines. Without a `before` there are no rates yet.
[[nodiscard]] std::vector<std::string> top_picture(const boost::json::object* before,
                                                   const boost::json::object& now);

}  // namespace linnet::cli
