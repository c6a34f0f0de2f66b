#include "auth/jwt_claims.hpp"

#include <algorithm>
#include <cmath>

#include <boost/json.hpp>

#include "auth/jwt_rules.hpp"
#include "auth/strict_json.hpp"
#include "base/cat.hpp"
#include "base/utf8.hpp"

namespace linnet::auth {

namespace {

namespace json = boost::json;

// Times beyond this are as good as never; sums of them fit, in microseconds, too.
constexpr std::uint64_t kTimeMax_s = std::uint64_t{1} << 40;

std::string_view view(const json::string& text) noexcept {
  return {text.data(), text.size()};
}

// Empty if it is no text.
std::string_view text_of(const json::value* value) noexcept {
  return value != nullptr && value->is_string() ? view(value->get_string()) : std::string_view();
}

enum class Fraction : std::uint8_t { cut, round_up };

// Seconds since 1970 (NumericDate); what lies before is 0. Nothing for what is no number.
std::optional<std::uint64_t> time_of(const json::value& value, Fraction fraction) noexcept {
  if (const auto* number = value.if_int64()) {
    return *number < 0 ? 0 : std::min(static_cast<std::uint64_t>(*number), kTimeMax_s);
  }
  if (const auto* number = value.if_uint64()) return std::min(*number, kTimeMax_s);
  const auto* number = value.if_double();
  if (number == nullptr || std::isnan(*number)) return std::nullopt;
  if (*number <= 0) return 0;
  if (*number >= static_cast<double>(kTimeMax_s)) return kTimeMax_s;
  const double whole = fraction == Fraction::cut ? std::floor(*number) : std::ceil(*number);
  return static_cast<std::uint64_t>(whole);
}

std::uint64_t leeway_s(const JwtConfig& config) noexcept {
  const auto leeway_ms = std::max<std::int64_t>(config.leeway.count(), 0);
  return (static_cast<std::uint64_t>(leeway_ms) + 999) / 1'000;
}

bool check_times(const json::object& claims, std::uint64_t leeway, std::uint64_t now_s,
                 std::uint64_t& expires_at_s, std::string& fault) {
  if (const auto* exp = claims.if_contains("exp")) {
    const auto time = time_of(*exp, Fraction::cut);
    if (!time || now_s >= *time + leeway) {
      fault = time ? "the token has expired" : "the token's exp is no number";
      return false;
    }
    expires_at_s = *time + leeway;
  }
  if (const auto* nbf = claims.if_contains("nbf")) {
    const auto time = time_of(*nbf, Fraction::round_up);
    if (!time || now_s + leeway < *time) {
      fault = time ? "the token is not valid yet" : "the token's nbf is no number";
      return false;
    }
  }
  return true;
}

bool is_audience(const json::value* aud, std::string_view audience) {
  if (aud == nullptr || !aud->is_array()) return text_of(aud) == audience;
  const auto& list = aud->get_array();
  return std::any_of(list.begin(), list.end(), [audience](const json::value& element) {
    return text_of(&element) == audience;
  });
}

bool check_origin(const JwtConfig& config, const json::object& claims, std::string& fault) {
  if (!config.issuer.empty() && text_of(claims.if_contains("iss")) != config.issuer) {
    fault = "the token's iss is not auth.jwt.issuer";
    return false;
  }
  if (!config.audience.empty() && !is_audience(claims.if_contains("aud"), config.audience)) {
    fault = "the token's aud does not hold auth.jwt.audience";
    return false;
  }
  return true;
}

// Well-formed, and without the control characters of ASCII and of Latin-1.
bool is_plain_text(std::string_view text) noexcept {
  if (!is_mqtt_utf8(text)) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return false;
    if (byte == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0) return false;
  }
  return true;
}

bool read_user(const JwtConfig& config, const json::object& claims, const TokenFacts& facts,
               std::string& user_name, std::string& fault) {
  const auto user = text_of(claims.if_contains(config.user_claim));
  if (user.empty() || user.size() > kUserNameBytesMax || !is_plain_text(user)) {
    fault = cat("the token's claim ", config.user_claim,
                user.empty() ? " is missing or no text" : " is no user name");
    return false;
  }
  if (!facts.user_name.empty() && facts.user_name != user) {
    fault = "the token is for another user than the user name that came with it";
    return false;
  }
  user_name = user;
  return true;
}

bool add_group(std::string_view group, std::vector<std::string>& groups) {
  if (group.empty() || !is_plain_text(group) || groups.size() == kClaimGroupsMax) return false;
  groups.emplace_back(group);
  return true;
}

// A text of names between spaces, as OAuth writes scopes (RFC 6749, section 3.3).
bool split_groups(std::string_view text, std::vector<std::string>& groups) {
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0 && !add_group(text.substr(0, end), groups)) return false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

bool read_groups(const json::value& claim, std::vector<std::string>& groups) {
  if (claim.is_string()) return split_groups(view(claim.get_string()), groups);
  const auto* const list = claim.if_array();
  return list != nullptr &&
         std::all_of(list->begin(), list->end(), [&groups](const json::value& element) {
           return add_group(text_of(&element), groups);
         });
}

// The name of a claim that is not read is empty.
const json::value* find_claim(const json::object& claims, const std::string& name) {
  return name.empty() ? nullptr : claims.if_contains(name);
}

bool read_grants(const JwtConfig& config, const json::object& claims, Grants& grants,
                 std::string& fault) {
  const auto* const groups = find_claim(claims, config.groups_claim);
  if (groups != nullptr && !read_groups(*groups, grants.groups)) {
    fault = cat("the token's claim ", config.groups_claim, " is no list of at most ",
                kClaimGroupsMax, " groups");
    return false;
  }
  const auto* const rules = find_claim(claims, config.acl_claim);
  std::string error;
  if (rules != nullptr && !read_rule_claim(*rules, grants.rules, error)) {
    fault = cat("the token's claim ", config.acl_claim, ": ", error);
    return false;
  }
  return true;
}

}  // namespace

std::optional<Identity> read_claims(const JwtConfig& config, std::string_view text,
                                    const TokenFacts& facts, std::string& fault) {
  std::string error;
  const auto claims = parse_strict_json(text, error);
  if (!claims) {
    fault = cat("the token's second part ", error);
    return std::nullopt;
  }
  Identity identity;
  identity.method = Method::jwt;
  auto grants = std::make_unique<Grants>();
  if (!check_times(*claims, leeway_s(config), facts.now_s, grants->expires_at_s, fault) ||
      !check_origin(config, *claims, fault) ||
      !read_user(config, *claims, facts, identity.user_name, fault) ||
      !read_grants(config, *claims, *grants, fault)) {
    return std::nullopt;
  }
  if (grants->expires_at_s != 0 || !grants->groups.empty() || !grants->rules.empty()) {
    identity.grants = std::move(grants);
  }
  return identity;
}

}  // namespace linnet::auth
