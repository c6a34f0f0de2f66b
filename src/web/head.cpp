#include "web/head.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace linnet::web {

namespace http = boost::beast::http;

namespace {

constexpr std::string_view kBlanks = " \t";

/// Calls `is_it` with each item of a list, until it says yes.
template <class Predicate>
bool any_item(std::string_view list, Predicate is_it) noexcept {
  while (!list.empty()) {
    const auto comma = list.find(',');
    std::string_view item = list.substr(0, comma);
    list = comma == list.npos ? std::string_view{} : list.substr(comma + 1);
    const auto first = item.find_first_not_of(kBlanks);
    if (first == item.npos) continue;
    if (is_it(item.substr(first, item.find_last_not_of(kBlanks) - first + 1))) return true;
  }
  return false;
}

std::string lowered(std::string_view text) {
  std::string result(text);
  for (char& letter : result)
    letter = boost::beast::detail::ascii_tolower(letter);
  return result;
}

std::string_view view(boost::beast::string_view text) noexcept {
  return {text.data(), text.size()};
}

}  // namespace

bool has_item(std::string_view list, std::string_view item) noexcept {
  return any_item(list, [item](std::string_view found) {
    return boost::beast::iequals({found.data(), found.size()}, {item.data(), item.size()});
  });
}

bool has_exact_item(std::string_view list, std::string_view item) noexcept {
  return any_item(list, [item](std::string_view found) { return found == item; });
}

std::size_t Head::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(std::count_if(
      fields.begin(), fields.end(), [name](const Field& field) { return field.name == name; }));
}

std::string_view Head::get(std::string_view name) const noexcept {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [name](const Field& field) { return field.name == name; });
  return found == fields.end() ? std::string_view{} : std::string_view{found->value};
}

std::string Head::joined(std::string_view name) const {
  std::string list;
  for (const Field& field : fields) {
    if (field.name != name) continue;
    if (!list.empty()) list += ", ";
    list += field.value;
  }
  return list;
}

std::string_view Head::path() const noexcept {
  return std::string_view(target).substr(0, target.find_first_of("?#"));
}

struct HeadReader::Parser {
  http::request_parser<http::empty_body> of_beast;
};

HeadReader::HeadReader() : parser_(std::make_unique<Parser>()) {
  parser_->of_beast.header_limit(kHeadMax);
}

HeadReader::~HeadReader() = default;

HeadReader::State HeadReader::feed(std::string_view bytes) {
  unread_ += bytes;
  boost::system::error_code error;
  const std::size_t used = parser_->of_beast.put(boost::asio::buffer(unread_), error);
  unread_.erase(0, used);
  if (error == http::error::need_more) return State::incomplete;
  if (error == http::error::header_limit) return State::too_long;
  if (error) return State::bad;
  return parser_->of_beast.is_header_done() ? State::whole : State::incomplete;
}

Head HeadReader::take_head() {
  const auto& request = parser_->of_beast.get();
  Head head;
  head.method = view(request.method_string());
  head.target = view(request.target());
  head.is_http_1_1 = request.version() == 11;
  for (const auto& field : request)
    head.fields.push_back({lowered(view(field.name_string())), std::string(view(field.value()))});
  parser_.reset();
  return head;
}

}  // namespace linnet::web
