#include "control/request.hpp"

#include <boost/json.hpp>

#include "base/cat.hpp"

namespace linnet::control {

namespace json = boost::json;

std::string text_of(const json::object& request, const char* key, std::string& error) {
  const json::value* value = request.if_contains(key);
  if (value == nullptr) return {};
  if (value->is_string()) return {value->as_string().data(), value->as_string().size()};
  error = cat('"', key, "\" is a text");
  return {};
}

std::uint64_t number_of(const json::object& request, const char* key, std::uint64_t preset,
                        std::string& error) {
  const json::value* value = request.if_contains(key);
  if (value == nullptr) return preset;
  boost::system::error_code code;
  const auto number = value->to_number<std::uint64_t>(code);
  if (!code) return number;
  error = cat('"', key, "\" is a number, 0 or more");
  return preset;
}

bool flag_of(const json::object& request, const char* key, std::string& error) {
  const json::value* value = request.if_contains(key);
  if (value == nullptr) return false;
  if (value->is_bool()) return value->as_bool();
  error = cat('"', key, "\" is true or false");
  return false;
}

}  // namespace linnet::control
