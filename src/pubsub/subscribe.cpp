#include <algorithm>
#include <ctime>

#include "base/random.hpp"
#include "base/topic.hpp"
#include "pubsub/run.hpp"
#include "pubsub/show.hpp"
#include "pubsub/worker.hpp"

namespace linnet::pubsub {

namespace {

class Subscriber final : public Worker {
 public:
  explicit Subscriber(const Settings& settings) : Worker(settings), show_(settings) {}

  void on_message(const mqtt::ReceivedPublish& publish) override {
    if (settings().retained_only && !publish.retain) return finish(kDone);
    if (!is_wanted(publish)) return;
    if (settings().remove_retained && publish.retain) {
      client::Message nothing;
      nothing.topic = publish.topic;
      nothing.retain = true;
      nothing.qos = publish.qos;
      (void)session().publish(std::move(nothing));
    }
    print(publish);
    if (settings().count > 0 && ++count_ == settings().count) finish(kDone);
  }

 protected:
  void on_ready() override {
    if (settings().exits_when_subscribed) finish(kDone);
  }

 private:
  [[nodiscard]] bool is_wanted(const mqtt::ReceivedPublish& publish) {
    if (settings().no_retained && publish.retain) return false;
    const auto& out = settings().filters_out;
    const bool filtered = std::any_of(out.begin(), out.end(), [&](const std::string& filter) {
      return topic_matches(filter, publish.topic);
    });
    if (filtered) return false;
    return settings().random_percent >= 100 ||
           static_cast<double>(random_.below(1'000'000)) < settings().random_percent * 10'000;
  }

  void print(const mqtt::ReceivedPublish& publish) {
    Arrival arrival{publish};
    ::clock_gettime(CLOCK_REALTIME, &arrival.time);
    if (const std::string fault = show_.append(output().text(), arrival); !fault.empty())
      say(fault);
  }

  Show show_;
  Random random_;
  std::uint64_t count_ = 0;
};

}  // namespace

int subscribe(const Settings& settings) {
  Subscriber subscriber(settings);
  return subscriber.run();
}

}  // namespace linnet::pubsub
