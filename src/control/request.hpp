// Reads the members of a request. Each says what is wrong in `error`, which it leaves alone if
// nothing is.
#pragma once

#include <cstdint>
#include <string>

#include <boost/json/fwd.hpp>

namespace linnet::control {

/// Empty if it is missing.
[[nodiscard]] std::string text_of(const boost::json::object& request, const char* key,
                                  std::string& error);
/// `preset` if it is missing.
[[nodiscard]] std::uint64_t number_of(const boost::json::object& request, const char* key,
                                      std::uint64_t preset, std::string& error);
[[nodiscard]] bool flag_of(const boost::json::object& request, const char* key, std::string& error);

}  // namespace linnet::control
