#include "auth/http_json.hpp"

#include <algorithm>
#include <array>
#include <openssl/evp.h>
#include <optional>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "auth/jwt_rules.hpp"
#include "auth/strict_json.hpp"
#include "base/cat.hpp"
#include "base/utf8.hpp"

namespace linnet::auth {

namespace {

constexpr std::uint64_t kCacheMsMax = 86'400'000;
constexpr double kSecondsMax = 9'007'199'254'740'992.0;  // 2^53: what JSON's numbers hold exactly
constexpr std::string_view kExpected =
    "; it must answer 200 with JSON, 204 for yes, or 401 or 403 for no";
constexpr std::array<std::string_view, 7> kMembers = {"result",  "user",       "groups", "acl",
                                                      "expires", "expires_in", "cache"};

/// How many bytes a byte takes in a JSON string at most: \u0000.
constexpr std::size_t kEscapeMax = 6;

// Grows only within what has been reserved, so that no copy of a password is left behind.
void append_text(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += '"';
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      out += '\\';
      out += letter;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 0xFU];
    } else {
      out += letter;
    }
  }
  out += '"';
}

void append_base64(std::string& out, std::string_view bytes) {
  out += '"';
  const std::size_t begin = out.size();
  out.resize(begin + 4 * ((bytes.size() + 2) / 3) + 1);  // EVP_EncodeBlock writes a zero behind it
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + begin),
                  reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  out.back() = '"';
}

/// Reads the JSON of an answer. The first fault stands, and makes the whole of it nothing.
class AnswerReader {
 public:
  AnswerReader(const boost::json::object& members, const HttpTerms& terms)
      : members_(members), terms_(terms) {}

  [[nodiscard]] HttpVerdict read() {
    HttpVerdict verdict;
    refuse_unknown();
    verdict.answer.result = read_result();
    if (verdict.answer.result == HttpAnswer::Result::allow) {
      verdict.answer.identity = read_identity();
      verdict.remember_ms = read_cache(verdict.answer.identity);
    }
    return verdict;
  }
  /// Empty: what read() has given is good.
  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

 private:
  void fail(std::string text) {
    if (fault_.empty()) fault_ = std::move(text);
  }

  [[nodiscard]] const boost::json::value* find(std::string_view key) const {
    return members_.if_contains({key.data(), key.size()});
  }

  // Else a misspelt "groups" would be a yes with other rights than was meant.
  void refuse_unknown() {
    for (const auto& member : members_) {
      const std::string_view key(member.key().data(), member.key().size());
      if (std::find(kMembers.begin(), kMembers.end(), key) == kMembers.end())
        fail(
            "has a member that is not known: known are result, user, groups, acl, expires, "
            "expires_in and cache");
    }
  }

  [[nodiscard]] HttpAnswer::Result read_result() {
    const auto result = text_of("result").value_or("");
    if (result == "allow") return HttpAnswer::Result::allow;
    if (result == "deny") return HttpAnswer::Result::deny;
    if (result == "ignore") return HttpAnswer::Result::ignore;
    fail(R"(has no "result" that is "allow", "deny" or "ignore")");
    return HttpAnswer::Result::unavailable;
  }

  [[nodiscard]] std::string_view name_in(const boost::json::value& value, std::string_view what) {
    const auto* text = value.if_string();
    const std::string_view name =
        text != nullptr ? std::string_view(text->data(), text->size()) : std::string_view();
    if (name.empty() || name.size() > kHttpNameMax || name.find('\0') != name.npos)
      fail(cat("has ", what, " that is no text, is empty, has a zero in it, or is longer than ",
               kHttpNameMax, " bytes"));
    return name;
  }

  [[nodiscard]] std::optional<std::string_view> text_of(std::string_view key) {
    const auto* value = find(key);
    if (value == nullptr) return std::nullopt;
    return name_in(*value, cat('"', key, '"'));
  }

  /// Whole seconds; programs that count them in fractions lose those.
  [[nodiscard]] std::optional<std::uint64_t> seconds_of(std::string_view key) {
    const auto* value = find(key);
    if (value == nullptr) return std::nullopt;
    boost::system::error_code error;
    const auto seconds = value->is_number() ? value->to_number<double>(error) : -1.0;
    if (!error && seconds >= 0 && seconds <= kSecondsMax)
      return static_cast<std::uint64_t>(seconds);
    fail(cat("has \"", key, "\" that is no number of seconds"));
    return std::nullopt;
  }

  [[nodiscard]] std::uint64_t read_expiry() {
    const auto at = seconds_of("expires");
    const auto in = seconds_of("expires_in");
    if (at && in) fail(R"(has both "expires" and "expires_in": one of them is enough)");
    if (!at && !in) return 0;
    const std::uint64_t end = at ? *at : terms_.now_s + *in;
    if (end <= terms_.now_s)
      fail("allows until a time that is over: compare the clocks of both machines");
    return end;
  }

  [[nodiscard]] std::vector<std::string> read_groups() {
    std::vector<std::string> names;
    const auto* groups = find("groups");
    if (groups == nullptr) return names;
    const auto* list = groups->if_array();
    if (list == nullptr || list->size() > kHttpGroupsMax) {
      fail(cat("has \"groups\" that is no list, or of more than ", kHttpGroupsMax));
      return names;
    }
    for (const auto& group : *list)
      names.emplace_back(name_in(group, "a group's name"));
    return names;
  }

  [[nodiscard]] Identity read_identity() {
    Identity identity;
    identity.method = Method::http;
    identity.user_name = text_of("user").value_or(terms_.user_name);
    auto grants = std::make_unique<Grants>();
    grants->groups = read_groups();
    std::string reason;
    if (const auto* acl = find("acl");
        acl != nullptr && !read_rule_claim(*acl, grants->rules, reason))
      fail(cat("has an \"acl\" that is not understood: ", reason));
    grants->expires_at_s = read_expiry();
    const bool has_any =
        !grants->groups.empty() || !grants->rules.empty() || grants->expires_at_s != 0;
    if (has_any) identity.grants = std::move(grants);
    return identity;
  }

  [[nodiscard]] std::uint64_t read_cache(const Identity& identity) {
    std::uint64_t remember_ms = terms_.cache_ms;
    if (const auto seconds = seconds_of("cache"))
      remember_ms = std::min(*seconds, kCacheMsMax / 1000) * 1000;
    const std::uint64_t end_s = identity.grants != nullptr ? identity.grants->expires_at_s : 0;
    if (end_s > terms_.now_s)
      remember_ms = std::min(remember_ms, std::min(end_s - terms_.now_s, kCacheMsMax) * 1000);
    return remember_ms;
  }

  const boost::json::object& members_;
  const HttpTerms& terms_;
  std::string fault_;
};

HttpVerdict unavailable(std::string fault) {
  HttpVerdict verdict;
  verdict.answer.fault = std::move(fault);
  return verdict;
}

HttpVerdict read_json(std::string_view body, const HttpTerms& terms) {
  std::string fault;
  const auto members = parse_strict_json(body, fault);
  if (!members) return unavailable(cat("has answered 200, but the answer ", fault));
  AnswerReader reader(*members, terms);
  HttpVerdict verdict = reader.read();
  if (reader.fault().empty()) return verdict;
  return unavailable(cat("has answered 200, but the answer ", reader.fault()));
}

}  // namespace

Secret question_json(const HttpQuestion& question) {
  const std::string_view password = question.password.view();
  const std::string_view cn =
      is_utf8(question.certificate_cn) ? std::string_view(question.certificate_cn) : "";
  std::string json;
  constexpr std::size_t kFrame = 160;
  json.reserve(kFrame + kEscapeMax * (question.client_id.size() + question.user_name.size() +
                                      password.size() + question.address.size() +
                                      question.listener.size() + cn.size()));
  json += "{\"clientid\":";
  append_text(json, question.client_id);
  json += ",\"username\":";
  append_text(json, question.user_name);
  if (is_utf8(password)) {
    json += ",\"password\":";
    append_text(json, password);
  } else {
    json += ",\"password_base64\":";
    append_base64(json, password);
  }
  json += ",\"address\":";
  append_text(json, question.address);
  json += ",\"listener\":";
  append_text(json, question.listener);
  json += ",\"certificate_cn\":";
  append_text(json, cn);
  json += cat(",\"protocol\":", unsigned{question.protocol_version}, "}");
  return Secret(std::move(json));
}

HttpVerdict read_response(unsigned status, std::string_view body, const HttpTerms& terms) {
  HttpVerdict verdict;
  switch (status) {
    case 200: return read_json(body, terms);
    case 204:
      verdict.answer.result = HttpAnswer::Result::allow;
      verdict.answer.identity.user_name = terms.user_name;
      verdict.answer.identity.method = Method::http;
      verdict.remember_ms = terms.cache_ms;
      return verdict;
    case 401:  // it is the broker that it does not know
      return unavailable("has answered 401: give it what it wants by auth.http.authorization_file");
    case 403: verdict.answer.result = HttpAnswer::Result::deny; return verdict;
    default: break;
  }
  if (status / 100 == 3)
    return unavailable(cat("has answered ", status,
                           ", and is not followed elsewhere: give auth.http.url the address that "
                           "it names"));
  return unavailable(cat("has answered ", status, kExpected));
}

Identity copy_of(const Identity& identity) {
  Identity copy;
  copy.user_name = identity.user_name;
  copy.method = identity.method;
  if (identity.grants != nullptr) copy.grants = std::make_unique<const Grants>(*identity.grants);
  return copy;
}

}  // namespace linnet::auth
