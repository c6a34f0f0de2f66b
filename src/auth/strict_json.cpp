#include "auth/strict_json.hpp"

#include <cstdint>

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>

#include "base/utf8.hpp"

namespace linnet::auth {

namespace {

namespace json = boost::json;

// Builds the value as Boost's own parser does, and counts members: an object keeps one of two
// members with the same key, so that what was read is then more than what is there.
struct Handler {
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  using View = json::string_view;
  using Error = json::error_code;

  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error&) { return true; }
  bool on_object_end(std::size_t count, Error&) {
    members += count;
    stack.push_object(count);
    return true;
  }
  bool on_array_begin(Error&) { return true; }
  bool on_array_end(std::size_t count, Error&) {
    stack.push_array(count);
    return true;
  }
  bool on_key_part(View text, std::size_t, Error&) {
    stack.push_chars(text);
    return true;
  }
  bool on_key(View text, std::size_t, Error&) {
    stack.push_key(text);
    return true;
  }
  bool on_string_part(View text, std::size_t, Error&) {
    stack.push_chars(text);
    return true;
  }
  bool on_string(View text, std::size_t, Error&) {
    stack.push_string(text);
    return true;
  }
  bool on_number_part(View, Error&) { return true; }
  bool on_int64(std::int64_t number, View, Error&) {
    stack.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, View, Error&) {
    stack.push_uint64(number);
    return true;
  }
  bool on_double(double number, View, Error&) {
    stack.push_double(number);
    return true;
  }
  bool on_bool(bool truth, Error&) {
    stack.push_bool(truth);
    return true;
  }
  bool on_null(Error&) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(View, Error&) { return true; }
  bool on_comment(View, Error&) { return true; }

  json::value_stack stack;
  std::size_t members = 0;
};

// Recursion is bounded by kJsonDepthMax.
std::size_t count_members(const json::value& value) {
  std::size_t count = 0;
  if (const auto* object = value.if_object()) {
    count = object->size();
    for (const auto& member : *object)
      count += count_members(member.value());
  } else if (const auto* array = value.if_array()) {
    for (const auto& element : *array)
      count += count_members(element);
  }
  return count;
}

}  // namespace

std::optional<json::object> parse_strict_json(std::string_view text, std::string& fault) {
  // Boost looks at the UTF-8 of strings; this is about the rest, too.
  if (!is_utf8(text)) {
    fault = "is not UTF-8";
    return std::nullopt;
  }
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  json::basic_parser<Handler> parser(options);
  parser.handler().stack.reset();
  json::error_code error;
  const auto taken = parser.write_some(false, text.data(), text.size(), error);
  if (error || taken != text.size()) {
    fault = error == json::error::too_deep ? "is nested too deep" : "is not JSON";
    return std::nullopt;
  }
  auto value = parser.handler().stack.release();
  if (!value.is_object()) {
    fault = "is not a JSON object";
    return std::nullopt;
  }
  if (count_members(value) != parser.handler().members) {
    fault = "has a key twice";
    return std::nullopt;
  }
  return std::move(value.as_object());
}

}  // namespace linnet::auth
