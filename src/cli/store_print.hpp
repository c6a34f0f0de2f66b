// The answers of `linnet store` as text for people.
#pragma once

#include <string>

#include <boost/json/fwd.hpp>

namespace linnet::cli {

/// 4.0 MiB
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

/// One or more lines on standard output.
void print_store_answer(const std::string& action, const boost::json::object& answer);

}  // namespace linnet::cli
