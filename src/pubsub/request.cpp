#include <ctime>

#include "base/cat.hpp"
#include "mqtt/property_writer.hpp"
#include "pubsub/resolve.hpp"
#include "pubsub/run.hpp"
#include "pubsub/show.hpp"
#include "pubsub/source.hpp"
#include "pubsub/worker.hpp"

namespace linnet::pubsub {

namespace {

class Requester final : public Worker {
 public:
  explicit Requester(const Settings& settings)
      : Worker(settings), show_(settings), correlation_(random_name()) {}

  void on_message(const mqtt::ReceivedPublish& publish) override {
    if (has_answer_ || !has_asked_ || (settings().no_retained && publish.retain)) return;
    if (!is_answer(publish)) return;
    has_answer_ = true;
    Arrival arrival{publish};
    ::clock_gettime(CLOCK_REALTIME, &arrival.time);
    const std::string fault = show_.append(output().text(), arrival);
    if (!fault.empty()) say(fault);
    finish(fault.empty() ? kDone : kFailed);
  }

  void on_published(std::uint64_t /*number*/, const client::Outcome& outcome) override {
    if (outcome.reason == ReasonCode::no_matching_subscribers)
      say(cat("nobody is subscribed to ", settings().message.topic, "; waiting for the answer"));
    if (!failed(outcome.reason)) return;
    say(cat(settings().target.url.text(), " does not take the request on ",
            settings().message.topic, ": ", client::reason_text(outcome)));
    finish(kFailed);
  }

 protected:
  bool prepare() override {
    std::string error;
    const auto source = Source::open(settings(), loop(), error);
    if (source != nullptr && source->next(payload_) == Source::State::message) return true;
    say(error);
    return false;
  }

  /// Answers can come now, so it can be asked.
  void on_ready() override {
    if (has_asked_) return;
    has_asked_ = true;
    client::Message message = settings().message;
    message.payload = payload_;
    mqtt::PropertyWriter more;
    more.string(mqtt::Property::response_topic, settings().subscriptions.front().filter);
    if (!settings().has_own_correlation)
      more.string(mqtt::Property::correlation_data, correlation_);
    message.properties += more.bytes();
    (void)session().publish(std::move(message));
  }

 private:
  /// One that names another request is an answer to somebody else.
  [[nodiscard]] bool is_answer(const mqtt::ReceivedPublish& publish) const {
    if (settings().has_own_correlation) return true;
    mqtt::PropertyReader properties(publish.properties, place_of(mqtt::PacketType::publish));
    while (properties.next()) {
      const auto& value = properties.value();
      if (value.id == mqtt::Property::correlation_data) return value.text == correlation_;
    }
    return true;
  }

  Show show_;
  std::string correlation_;
  std::string payload_;
  bool has_asked_ = false;
  bool has_answer_ = false;
};

}  // namespace

int request(const Settings& settings) {
  Requester requester(settings);
  return requester.run();
}

}  // namespace linnet::pubsub
