#include "auth/jwt.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json.hpp>

#include "auth/base64url.hpp"
#include "auth/jwt_claims.hpp"
#include "auth/jwt_keys.hpp"
#include "auth/strict_json.hpp"
#include "base/cat.hpp"

namespace linnet::auth {

namespace {

namespace json = boost::json;

constexpr std::size_t kTokenBytesMax = 16 << 10;
constexpr std::size_t kKeysTriedMax = 8;

using AlgorithmSet = std::array<bool, kJwtAlgorithms.size()>;

std::size_t index_of(JwtAlgorithm algorithm) noexcept {
  return static_cast<std::size_t>(algorithm);
}

// The compact form of RFC 7515, section 3.1.
struct Parts {
  std::string_view header;
  std::string_view claims;
  std::string_view signature;
  std::string_view is_signed;  // header and claims with the dot between them
};

std::optional<Parts> split(std::string_view token) noexcept {
  const auto first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const auto second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  if (token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  return Parts{.header = token.substr(0, first),
               .claims = token.substr(first + 1, second - first - 1),
               .signature = token.substr(second + 1),
               .is_signed = token.substr(0, second)};
}

struct Header {
  JwtAlgorithm algorithm = JwtAlgorithm::hs256;
  std::string kid;  // empty: none
};

std::optional<Header> read_header(std::string_view part, std::string& fault) {
  const auto text = decode_base64url(part);
  std::string error = "is not base64url";
  const auto members = text ? parse_strict_json(*text, error) : std::nullopt;
  if (!members) {
    fault = cat("the token's header ", error);
    return std::nullopt;
  }
  // What has to be understood, and is not (RFC 7515, section 4.1.11).
  if (members->contains("crit")) {
    fault = "the token's header has a crit, and nothing of that kind is known here";
    return std::nullopt;
  }
  const auto* const alg = members->if_contains("alg");
  const auto* const name = alg != nullptr ? alg->if_string() : nullptr;
  const auto algorithm =
      name != nullptr ? jwt_algorithm(std::string_view(name->data(), name->size())) : std::nullopt;
  if (!algorithm) {
    fault = "the token's alg is none of HS256, RS256, ES256 and EdDSA";
    return std::nullopt;
  }
  Header header;
  header.algorithm = *algorithm;
  if (const auto* kid = members->if_contains("kid")) {
    if (!kid->is_string()) {
      fault = "the token's kid is no text";
      return std::nullopt;
    }
    header.kid.assign(kid->get_string().data(), kid->get_string().size());
  }
  return header;
}

TokenVerdict refused(std::string fault) {
  TokenVerdict verdict;
  verdict.fault = std::move(fault);
  return verdict;
}

}  // namespace

struct Jwt::Impl {
  JwtConfig config;
  std::vector<JwtKey> keys;  // for allowed algorithms only

  [[nodiscard]] bool take_keys(std::vector<std::string>& errors);
  [[nodiscard]] std::vector<const JwtKey*> keys_for(const Header& header) const;
  [[nodiscard]] bool is_signed(const Parts& parts, std::string& fault) const;
};

bool Jwt::Impl::take_keys(std::vector<std::string>& errors) {
  const auto errors_before = errors.size();
  if (config.user_claim.empty()) {
    errors.emplace_back("auth.jwt.user_claim: is empty; it names the claim with the user name");
  }
  if (config.keys.empty()) {
    errors.emplace_back("auth.jwt.keys: is empty; tokens need a key that they are verified with");
  }
  AlgorithmSet allowed{};
  for (const auto& name : config.algorithms) {
    const auto algorithm = jwt_algorithm(name);
    if (algorithm) {
      allowed[index_of(*algorithm)] = true;
    } else {
      errors.push_back(cat("auth.jwt.algorithms: \"", name,
                           "\" is not known; HS256, RS256, ES256 and EdDSA are"));
    }
  }
  if (config.algorithms.empty()) allowed.fill(true);
  std::vector<JwtKey> found;
  for (const auto& file : config.keys)
    static_cast<void>(load_jwt_keys(file, found, errors));
  AlgorithmSet has_key{};
  for (auto& key : found) {
    if (!allowed[index_of(key.algorithm())]) continue;
    has_key[index_of(key.algorithm())] = true;
    keys.push_back(std::move(key));
  }
  if (errors.size() != errors_before) return false;
  for (std::size_t i = 0; i < allowed.size() && !config.algorithms.empty(); ++i) {
    if (!allowed[i] || has_key[i]) continue;
    errors.push_back(cat("auth.jwt.algorithms: ", kJwtAlgorithms[i],
                         " has no key in the files of auth.jwt.keys; add one, or leave it out"));
  }
  return errors.size() == errors_before;
}

std::vector<const JwtKey*> Jwt::Impl::keys_for(const Header& header) const {
  std::vector<const JwtKey*> chosen;
  const auto choose = [&](auto fits) {
    for (const auto& key : keys) {
      if (chosen.size() == kKeysTriedMax) return;
      if (key.algorithm() == header.algorithm && fits(key)) chosen.push_back(&key);
    }
  };
  if (header.kid.empty()) {
    choose([](const JwtKey&) { return true; });
  } else {
    choose([&header](const JwtKey& key) { return key.kid() == header.kid; });
    // A key without a name may be the one that is meant: PEM has no place for it.
    choose([](const JwtKey& key) { return key.kid().empty(); });
  }
  return chosen;
}

bool Jwt::Impl::is_signed(const Parts& parts, std::string& fault) const {
  const auto header = read_header(parts.header, fault);
  if (!header) return false;
  const auto chosen = keys_for(*header);
  if (chosen.empty()) {
    fault = cat("there is no key for the token's alg, ", name_of(header->algorithm),
                header->kid.empty() ? "" : ", with its kid");
    return false;
  }
  const auto signature = decode_base64url(parts.signature);
  const bool good = signature && std::any_of(chosen.begin(), chosen.end(), [&](const JwtKey* key) {
                      return key->verify(parts.is_signed, *signature);
                    });
  if (!good) fault = "the token's signature is wrong";
  return good;
}

Jwt::Jwt(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}

Jwt::~Jwt() = default;

std::unique_ptr<const Jwt> Jwt::load(const JwtConfig& config, std::vector<std::string>& errors) {
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  if (!impl->take_keys(errors)) return nullptr;
  return std::unique_ptr<const Jwt>(new Jwt(std::move(impl)));
}

bool Jwt::looks_like_token(std::string_view password) noexcept {
  const auto parts = split(password);
  if (!parts || parts->header.size() < 2 || parts->claims.empty()) return false;
  // `{` is "e" and half of the next character, an ASCII one.
  constexpr std::string_view kSecond = "wxyz0123";
  return parts->header[0] == 'e' && kSecond.find(parts->header[1]) != std::string_view::npos &&
         is_base64url(parts->header) && is_base64url(parts->claims) &&
         is_base64url(parts->signature);
}

TokenVerdict Jwt::verify(std::string_view token, std::string_view user_name,
                         std::uint64_t now_s) const {
  if (token.size() > kTokenBytesMax) {
    return refused(cat("the token has more than ", kTokenBytesMax >> 10, " KiB"));
  }
  const auto parts = split(token);
  if (!parts) return refused("the token has not three parts");
  std::string fault;
  if (!impl_->is_signed(*parts, fault)) return refused(std::move(fault));
  const auto claims = decode_base64url(parts->claims);
  if (!claims) return refused("the token's second part is not base64url");
  auto identity = read_claims(impl_->config, *claims, {user_name, now_s}, fault);
  if (!identity) return refused(std::move(fault));
  TokenVerdict verdict;
  verdict.valid = true;
  verdict.identity = std::move(*identity);
  return verdict;
}

}  // namespace linnet::auth
