// A SCRAM client of any bytes: both of its messages, and each alone. Nobody gets in without the
// password, whatever the bytes; who gets further in the exchange has written what the grammar asks.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/scram.hpp"
#include "base/assert.hpp"
#include "unit/auth/scram_client.hpp"

namespace {

using linnet::auth::PasswordFile;
using linnet::auth::ScramServer;
using State = linnet::auth::ScramServer::Step::State;

const PasswordFile& passwords() {
  static const PasswordFile file = [] {
    std::vector<std::string> errors;
    auto parsed = PasswordFile::parse(
        linnet::auth::test::scram_entry("user", "pencil", "0123456789abcdef", 4096), "file",
        errors);
    LINNET_ASSERT(parsed.has_value());
    return std::move(*parsed);
  }();
  return file;
}

ScramServer server() {
  return ScramServer(passwords(), "a secret of the server", "0123456789abcdefgh");
}

void check_failed(const ScramServer::Step& step) {
  LINNET_ASSERT(step.state == State::failed);
  LINNET_ASSERT(step.data.starts_with("e=") && !step.fault.empty());
}

void check_first(std::string_view message) {
  auto scram = server();
  const auto step = scram.next(message);
  LINNET_ASSERT(scram.user_name().empty());
  const auto parsed = linnet::auth::parse_client_first(message);
  if (step.state != State::go_on) {
    check_failed(step);
    return;
  }
  LINNET_ASSERT(parsed.has_value() && !parsed->user_name.empty());
  LINNET_ASSERT(std::string(parsed->gs2_header) + std::string(parsed->bare) == message);
  LINNET_ASSERT(step.data.starts_with("r=" + std::string(parsed->nonce)));
}

void check_final(std::string_view message) {
  const auto parsed = linnet::auth::parse_client_final(message);
  if (!parsed) return;
  LINNET_ASSERT(parsed->proof.size() == linnet::auth::kScramKeySize);
  LINNET_ASSERT(message.starts_with(std::string(parsed->without_proof) + ",p="));
  LINNET_ASSERT(message.starts_with("c=" + linnet::auth::test::base64_of(parsed->channel_binding)));
}

/// Behind a first message that is right: only the form and the proof decide.
void check_exchange(std::string_view end) {
  auto scram = server();
  LINNET_ASSERT(scram.next("n,,n=user,r=abc").state == State::go_on);
  check_failed(scram.next("c=biws,r=abc0123456789abcdefgh" + std::string(end)));
  LINNET_ASSERT(scram.user_name().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_first(text);
  check_final(text);
  check_exchange(text);
  const auto middle = text.find('\n');
  if (middle == text.npos) return 0;
  auto scram = server();
  const auto first = scram.next(text.substr(0, middle));
  const auto final = scram.next(text.substr(middle + 1));
  check_failed(final);
  LINNET_ASSERT(first.state == State::go_on || !final.wrong_login);
  return 0;
}
