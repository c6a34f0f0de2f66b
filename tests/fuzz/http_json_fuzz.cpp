// Whatever JSON a service answers: there is a yes with all that belongs to it, or a reason why not;
// and whatever a client says of itself becomes a question within the room that was made for it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "auth/http_json.hpp"
#include "auth/strict_json.hpp"
#include "base/assert.hpp"

namespace {

using linnet::auth::HttpAnswer;
using linnet::auth::HttpQuestion;
using linnet::auth::HttpVerdict;
using linnet::auth::Secret;

constexpr std::uint64_t kNow = 1'700'000'000;

void check_answer(std::string_view json) {
  const HttpVerdict verdict = linnet::auth::read_response(200, json, {"anna", kNow, 60'000});
  const HttpAnswer& answer = verdict.answer;
  LINNET_ASSERT(answer.fault.empty() == (answer.result != HttpAnswer::Result::unavailable));
  if (answer.result != HttpAnswer::Result::allow) {
    LINNET_ASSERT(answer.identity.user_name.empty() && answer.identity.grants == nullptr);
    LINNET_ASSERT(verdict.remember_ms == 0);
    return;
  }
  LINNET_ASSERT(!answer.identity.user_name.empty());
  if (answer.identity.grants == nullptr) return;
  const std::uint64_t end_s = answer.identity.grants->expires_at_s;
  LINNET_ASSERT(end_s == 0 || end_s > kNow);
  LINNET_ASSERT(end_s == 0 || verdict.remember_ms <= (end_s - kNow) * 1000);
}

void check_question(std::string_view bytes) {
  HttpQuestion question;
  question.password = Secret(bytes);
  question.certificate_cn = bytes;
  const Secret json = linnet::auth::question_json(question);
  std::string fault;
  LINNET_ASSERT(linnet::auth::parse_strict_json(json.view(), fault));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_answer(bytes);
  check_question(bytes);
  return 0;
}
