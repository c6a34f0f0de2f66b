#include <map>

#include "base/cat.hpp"
#include "pubsub/json_text.hpp"
#include "pubsub/run.hpp"
#include "pubsub/source.hpp"
#include "pubsub/worker.hpp"

namespace linnet::pubsub {

namespace {

class Publisher final : public Worker {
 public:
  using Worker::Worker;

 protected:
  bool prepare() override {
    std::string error;
    source_ = Source::open(settings(), loop(), error);
    if (source_ == nullptr) say(error);
    return source_ != nullptr;
  }

  std::uint64_t work() override {
    if (has_ended_ || !session().is_open()) {
      source_->rest();
      if (has_ended_) end_when_answered();
      return ~std::uint64_t{0};
    }
    while (session().wants_messages() && !session().has_ended()) {
      client::Message message = settings().message;
      switch (source_->next(message.payload)) {
        case Source::State::message: send(std::move(message)); continue;
        case Source::State::wait: return source_->wait_until();
        case Source::State::end: has_ended_ = true; break;
        case Source::State::failed:
          say(source_->fault());
          has_failed_ = has_ended_ = true;
          break;
      }
      end_when_answered();
      return ~std::uint64_t{0};
    }
    source_->rest();
    return kWhenThereIsRoom;
  }

  void on_published(std::uint64_t number, const client::Outcome& outcome) override {
    source_->note_answered(client::now_ns());
    if (settings().json) report(number, outcome);
    sizes_.erase(number);
    if (!failed(outcome.reason)) return;
    has_failed_ = true;
    const bool is_one = settings().repeat == 1 && settings().input != Input::lines;
    say(cat(settings().target.url.text(), " does not take ",
            is_one ? std::string("the message") : cat("message ", number), " on ",
            settings().message.topic, ": ", client::reason_text(outcome)));
  }

 private:
  void send(client::Message message) {
    // QoS 0 is answered from within publish().
    sizes_[++last_number_] = message.payload.size();
    (void)session().publish(std::move(message));
  }

  /// One line of JSON for each message.
  void report(std::uint64_t number, const client::Outcome& outcome) {
    std::string& out = output().text();
    out += cat("{\"number\":", number, ",\"topic\":");
    append_json_string(out, settings().message.topic);
    out +=
        cat(",\"qos\":", static_cast<unsigned>(settings().message.qos),
            ",\"retain\":", settings().message.retain ? 1 : 0, ",\"payloadlen\":", sizes_[number],
            ",\"reason_code\":", static_cast<unsigned>(outcome.reason), ",\"reason\":");
    append_json_string(out, name_of(outcome.reason));
    out += "}\n";
  }

  void end_when_answered() {
    if (session().unanswered() == 0 && session().is_open()) finish(has_failed_ ? kFailed : kDone);
  }

  std::unique_ptr<Source> source_;
  bool has_ended_ = false;
  bool has_failed_ = false;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, std::size_t> sizes_;  // of those that are not answered
};

}  // namespace

int publish(const Settings& settings) {
  Publisher publisher(settings);
  return publisher.run();
}

}  // namespace linnet::pubsub
