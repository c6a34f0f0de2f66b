#include "pubsub/worker.hpp"

#include <algorithm>
#include <unistd.h>

#include "base/cat.hpp"
#include "pubsub/run.hpp"

namespace linnet::pubsub {

Worker::Worker(const Settings& settings) : settings_(settings), output_(loop_, STDOUT_FILENO) {}

void Worker::say(const std::string& text) const {
  if (!settings_.quiet) complain(text);
}

int Worker::run() {
  // What may block comes before the loop, which keeps the signals for itself.
  if (!prepare()) return kFailed;
  std::string error;
  const auto target = client::Target::open(settings_.target, error);
  if (target == nullptr || !loop_.open(0, error)) {
    say(error);
    return kFailed;
  }
  output_.watch();
  if (settings_.timeout_ns > 0) timeout_at_ns_ = client::now_ns() + settings_.timeout_ns;
  client::ClientOptions options = settings_.client;
  if (serve(*target, options) == Round::older_version) {
    options.session.version = Version::v3_1_1;
    (void)serve(*target, options);
  }
  return exit_code();
}

Worker::Round Worker::serve(client::Target& target, const client::ClientOptions& options) {
  client_ = std::make_unique<client::Client>(loop_, target, options, *this);
  if (!settings_.subscriptions.empty()) session().subscribe(settings_.subscriptions);
  if (!settings_.unsubscribe.empty()) session().unsubscribe(settings_.unsubscribe);
  client_->begin();
  while (!client_->is_over()) {
    std::uint64_t own_ns = work();
    const std::uint64_t next_ns = client_->tend();
    // Otherwise the socket tells when it has taken some of it.
    if (own_ns == kWhenThereIsRoom && !session().wants_messages()) own_ns = next_ns;
    mind_time(std::min(own_ns, next_ns));
    if (!mind_interrupts()) break;
  }
  while (!output_.is_empty() && mind_interrupts())
    loop_.turn(~std::uint64_t{0});
  const bool falls_back = settings_.may_fall_back && options.session.version == Version::v5 &&
                          !client_->was_open() &&
                          client_->fault_reason() == ReasonCode::unsupported_protocol_version;
  if (falls_back) return Round::older_version;
  if (!exit_code_ && !client_->fault().empty()) say(client_->fault());
  return Round::over;
}

/// False: somebody is in a hurry.
bool Worker::mind_interrupts() {
  if (loop_.interrupts() == interrupts_) return true;
  interrupts_ = loop_.interrupts();
  finish(client_->was_open() ? kDone : kFailed);
  return interrupts_ < 2;
}

void Worker::mind_time(std::uint64_t until_ns) {
  if (client_->is_over()) return;
  loop_.turn(std::min(until_ns, timeout_at_ns_));
  if (client::now_ns() < timeout_at_ns_) return;
  timeout_at_ns_ = ~std::uint64_t{0};
  finish(kTimeout);
}

int Worker::exit_code() const {
  if (output_.has_failed()) return output_.is_closed() ? kDone : kFailed;
  if (interrupts_ > 1) return kFailed;
  return exit_code_.value_or(kFailed);
}

void Worker::finish(int exit_code) {
  if (exit_code_) return;
  exit_code_ = exit_code;
  client_->end();
}

void Worker::on_lost(const std::string& why, std::uint64_t wait_ns) {
  const std::uint64_t tenths = (wait_ns + client::kSecondNs / 10 - 1) / (client::kSecondNs / 10);
  say(cat(why, "; connecting again in ", tenths / 10, '.', tenths % 10, " s"));
}

void Worker::on_turn() {
  output_.flush();
  client_->set_reading(!output_.is_full());
  if (!output_.has_failed() || exit_code_) return;
  if (!output_.is_closed()) say(output_.fault());
  finish(kFailed);
}

void Worker::on_packet(client::Direction direction, mqtt::PacketType type, std::size_t size) {
  if (!settings_.debug) return;
  say(cat(direction == client::Direction::sent ? "sends " : "receives ", mqtt::name_of(type), " (",
          size, " bytes)"));
}

void Worker::on_subscribed(std::span<const client::Subscription> subscriptions,
                           std::span<const client::Outcome> outcomes) {
  bool granted = false;
  for (std::size_t at = 0; at < subscriptions.size(); ++at) {
    if (!failed(outcomes[at].reason)) {
      granted = true;
      continue;
    }
    say(cat(settings_.target.url.text(), " refuses the subscription to ", subscriptions[at].filter,
            ": ", client::reason_text(outcomes[at])));
  }
  if (!granted) return finish(kFailed);
  on_ready();
}

void Worker::on_unsubscribed(std::span<const std::string> filters,
                             std::span<const client::Outcome> outcomes) {
  for (std::size_t at = 0; at < filters.size(); ++at) {
    if (failed(outcomes[at].reason)) {
      say(cat(settings_.target.url.text(), " refuses to end the subscription to ", filters[at],
              ": ", client::reason_text(outcomes[at])));
    }
  }
  if (settings_.subscriptions.empty() && settings_.exits_when_subscribed) finish(kDone);
}

}  // namespace linnet::pubsub
