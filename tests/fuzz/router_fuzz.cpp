// The router against a plain list of subscriptions. The input is a program of one line for each
// step: a letter that says what to do, a digit or letter that says to whom, and a topic or filter.
#include <cstdlib>
#include <optional>
#include <string_view>

#include "unit/router/router_model.hpp"

namespace {

using linnet::router::RouterModel;
using linnet::router::ShardId;
using linnet::router::SubscriptionTerms;

constexpr std::size_t kCacheBytesMax = 8 << 10;
const linnet::TopicLimits kLimits;

void require(bool condition) {
  if (!condition) std::abort();
}

SubscriptionTerms terms_of(unsigned char seed) {
  SubscriptionTerms terms;
  terms.id = seed & 3U;
  terms.qos = static_cast<linnet::Qos>((seed >> 2 & 3U) % 3U);
  terms.no_local = (seed & 16U) != 0;
  terms.retain_as_published = (seed & 32U) != 0;
  return terms;
}

void run(RouterModel& model, std::string_view line) {
  if (line.size() < 3) return;
  const auto argument = static_cast<unsigned char>(line[1]);
  const std::size_t who = argument % RouterModel::kSubscribers;
  const std::string text(line.substr(2));
  if (line[0] == 'r') {
    if (!linnet::is_topic_name(text, kLimits)) return;
    require(model.actual(text) == model.expected(text));
    require(model.router().cache_bytes() <= kCacheBytesMax);
    return;
  }
  if (!linnet::is_topic_filter(text, kLimits)) return;
  switch (line[0]) {
    case 's': require(model.subscribe(who, text, terms_of(argument))); break;
    case 'u': require(model.unsubscribe(who, text)); break;
    case 'a': model.unsubscribe_all(who); break;
    case 'i': model.set_interest(text, ShardId{argument % 64U}, true); break;
    case 'j': model.set_interest(text, ShardId{argument % 64U}, false); break;
    default: break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  RouterModel model(kCacheBytesMax);
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    run(model, rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  model.clear();
  require(model.router().nodes() == 0);
  return 0;
}
