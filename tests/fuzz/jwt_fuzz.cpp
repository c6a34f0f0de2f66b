// A token, the claims of one, and a file of keys, each of any bytes: nothing forged gets in, what
// is let in is bounded, and what is refused says why.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "auth/jwt.hpp"
#include "auth/jwt_claims.hpp"
#include "auth/jwt_keys.hpp"
#include "auth/jwt_rules.hpp"
#include "base/assert.hpp"
#include "base/utf8.hpp"
#include "unit/auth/jwt_samples.hpp"

namespace {

namespace samples = linnet::auth::samples;
using linnet::auth::Jwt;
using linnet::auth::JwtAlgorithm;
using linnet::auth::JwtKey;

constexpr std::uint64_t kNow_s = 1'800'000'000;

std::unique_ptr<const Jwt> load() {
  linnet::JwtConfig config;
  for (const auto text : {samples::kSecret, samples::kJwkSet}) {
    std::string path = "/tmp/linnet-jwt-fuzz-XXXXXX";
    const int file = ::mkstemp(path.data());
    LINNET_ASSERT(file >= 0);
    LINNET_ASSERT(::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    ::close(file);
    config.keys.push_back(path);
  }
  std::vector<std::string> errors;
  auto jwt = Jwt::load(config, errors);
  LINNET_ASSERT(jwt != nullptr);
  for (const auto& path : config.keys)
    ::unlink(path.c_str());
  return jwt;
}

void try_token(std::string_view text) {
  static const auto jwt = load();
  const auto verdict = jwt->verify(text, {}, kNow_s);
  static_cast<void>(Jwt::looks_like_token(text));
  // The fuzzer has no key, so that all it can find are the tokens that it starts from.
  const auto known = {samples::kHs256, samples::kRs256,       samples::kRs256Kid,
                      samples::kEs256, samples::kEs256SmallR, samples::kEs256SmallS,
                      samples::kEdDsa};
  LINNET_ASSERT(verdict.valid == (std::find(known.begin(), known.end(), text) != known.end()));
  LINNET_ASSERT(verdict.valid == verdict.fault.empty());
}

void try_claims(std::string_view text) {
  std::string fault;
  const auto identity = linnet::auth::read_claims({}, text, {{}, kNow_s}, fault);
  LINNET_ASSERT(identity.has_value() == fault.empty());
  if (!identity) return;
  LINNET_ASSERT(!identity->user_name.empty());
  LINNET_ASSERT(linnet::is_mqtt_utf8(identity->user_name));
  if (identity->grants == nullptr) return;
  const auto& grants = *identity->grants;
  LINNET_ASSERT(grants.groups.size() <= linnet::auth::kClaimGroupsMax);
  LINNET_ASSERT(grants.rules.size() <= linnet::auth::kClaimRulesMax);
  LINNET_ASSERT(grants.expires_at_s == 0 || grants.expires_at_s > kNow_s);
  for (const auto& rule : grants.rules) {
    LINNET_ASSERT(!rule.publish.empty() || !rule.subscribe.empty());
    LINNET_ASSERT(rule.subjects.everybody());
  }
}

void try_keys(std::string_view text) {
  std::vector<JwtKey> keys;
  std::vector<std::string> errors;
  const bool taken = linnet::auth::parse_jwt_keys(text, "file", keys, errors);
  LINNET_ASSERT(taken == errors.empty());
  LINNET_ASSERT(taken != keys.empty());
  const bool pem = text.find("-----BEGIN") != std::string_view::npos;
  for (const auto& key : keys) {
    LINNET_ASSERT(!pem || key.algorithm() != JwtAlgorithm::hs256);
    LINNET_ASSERT(!key.verify("text", "signature"));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0: try_token(text); break;
    case 1: try_claims(text); break;
    default: try_keys(text); break;
  }
  return 0;
}
