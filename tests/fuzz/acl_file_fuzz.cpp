// An acl_file of any bytes: what is taken has its place, and what is refused names its line.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/acl_file.hpp"
#include "auth/rules.hpp"
#include "base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace linnet;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auth::AclBounds bounds{.line_bytes = 200, .rules = 50, .errors = 5};
  auth::RuleList rules;
  std::vector<std::string> errors;
  const bool ok = auth::parse_acl_file(text, "acl", rules, errors, bounds);
  LINNET_ASSERT(ok == errors.empty());
  LINNET_ASSERT(errors.size() <= bounds.errors);
  LINNET_ASSERT(ok || rules.empty());
  LINNET_ASSERT(rules.size() <= bounds.rules);
  for (const std::string& error : errors)
    LINNET_ASSERT(error.starts_with("acl:"));
  for (const auth::Rule& rule : rules) {
    LINNET_ASSERT(rule.place.starts_with("acl:"));
    LINNET_ASSERT(!rule.publish.empty() || !rule.subscribe.empty());
  }
  AuthConfig config;
  config.acl_file = "acl";
  const auth::Rules built(std::move(rules), config);
  const auth::Identity identity{"u", nullptr, auth::Method::none};
  const auth::Subject subject{identity, "c"};
  for (const auto action : {auth::Action::publish, auth::Action::subscribe, auth::Action::receive})
    (void)built.decide(subject, {action, "a/b"});
  return 0;
}
