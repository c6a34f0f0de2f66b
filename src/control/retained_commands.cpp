#include "control/retained_commands.hpp"

#include <optional>
#include <utility>

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/topic.hpp"
#include "base/utf8.hpp"
#include "control/asked.hpp"
#include "control/request.hpp"

namespace linnet::control {

namespace {

namespace json = boost::json;

constexpr std::uint64_t kListMax = 1000;
/// How many topics one request looks at, matching or not: the others want to be served, too.
constexpr std::size_t kLooksMax = 100'000;
constexpr std::size_t kErasedAtOnce = 256;
constexpr std::size_t kShownMax = 64;  // of a payload, in bytes

constexpr const char* kUnreadable = "the store can't be read now";

std::string filter_of(const json::object& request, std::string& error) {
  std::string filter = text_of(request, "filter", error);
  if (error.empty() && !is_topic_filter(filter, TopicLimits{})) {
    error = cat("\"filter\" is a topic filter, like sensors/+/state or #, and not \"", filter, '"');
  }
  return filter;
}

json::object json_of_message(const MessageView& message, std::uint64_t now_ms) {
  json::object object{{"topic", json::string_view(message.topic.data(), message.topic.size())},
                      {"qos", static_cast<unsigned>(message.qos)},
                      {"bytes", message.payload.size()}};
  if (message.expires_at_ms != kNever) {
    const std::uint64_t left = std::max(message.expires_at_ms, now_ms) - now_ms;
    object["expires_in_s"] = (left + 999) / 1000;
  }
  object["payload"] = log::escaped_text(message.payload.substr(0, kShownMax));
  if (message.payload.size() > kShownMax) object["cut"] = true;
  return object;
}

std::string list(const AdminDoor& door, const json::object& request, json::object& reply) {
  std::string error;
  const std::string filter = filter_of(request, error);
  const std::string after = text_of(request, "after", error);
  const std::uint64_t limit = number_of(request, "limit", 100, error);
  if (error.empty() && (limit == 0 || limit > kListMax)) {
    error = cat("\"limit\" is 1 to ", kListMax, "; ask again with \"after\" for more");
  }
  if (!error.empty()) return error;
  json::array messages;
  const std::uint64_t now_ms = system_clock().now_ms();
  bool full = false;
  const auto walk =
      door.store.read_retained({filter, after, kLooksMax}, [&](const MessageView& message) {
        full = messages.size() >= limit;
        if (!full) messages.push_back(json_of_message(message, now_ms));
        return !full;
      });
  if (!walk.done && !full && walk.last.empty()) return kUnreadable;
  reply["messages"] = std::move(messages);
  if (!walk.done) reply["next"] = walk.last;
  return {};
}

/// Page by page: reads which topics there are, and lets the shards that are their homes publish an
/// empty retained message for each.
class Erase final : public Conversation {
 public:
  Erase(const AdminDoor& door, std::string filter, Waker& waker)
      : door_(door), filter_(std::move(filter)), waker_(waker) {}

  [[nodiscard]] bool speak(std::string& output) override {
    std::string error;
    while (!asked_ || took(error)) {
      asked_.reset();
      if (error.empty() && !done_ && next_page(error)) continue;
      output += last_line(error);
      return false;
    }
    return true;
  }
  [[nodiscard]] std::uint64_t due_ms() const override { return asked_ ? asked_->due_ms() : 0; }

 private:
  /// True if the page is over.
  bool took(std::string& error) {
    shard::Findings found;
    const auto state = asked_->look(found);
    if (state == Asked::State::waits) return false;
    erased_ += found.erased;
    if (state == Asked::State::late) error = kLate;
    if (found.refused > 0) error = "the store does not take more now: look at `linnet status`";
    return true;
  }

  /// False if there is none.
  bool next_page(std::string& error) {
    shard::Question question;
    question.kind = shard::Question::Kind::erase_retained;
    bool full = false;
    while (question.topics.empty() && !done_) {
      const auto walk =
          door_.store.read_retained({filter_, after_, kLooksMax}, [&](const MessageView& message) {
            full = question.topics.size() >= kErasedAtOnce;
            if (!full) question.topics.emplace_back(message.topic);
            return !full;
          });
      if (!walk.done && !full && walk.last.empty()) {
        error = kUnreadable;
        return false;
      }
      done_ = walk.done;
      after_ = walk.last;
    }
    if (question.topics.empty()) return false;
    constexpr std::uint64_t kPatience_ms = 30'000;
    asked_.emplace(door_.post, std::move(question), waker_, kPatience_ms);
    return true;
  }

  [[nodiscard]] std::string last_line(const std::string& error) const {
    if (!error.empty()) return cat(error_line(cat(error, "; erased so far: ", erased_)), '\n');
    const json::object reply{{"ok", true}, {"erased", erased_}};
    return cat(std::string_view(json::serialize(reply)), '\n');
  }

  const AdminDoor& door_;
  const std::string filter_;
  Waker& waker_;
  std::optional<Asked> asked_;  // the page that is being erased
  std::string after_;
  std::uint64_t erased_ = 0;
  bool done_ = false;
};

}  // namespace

void add_retained_commands(Control& control, const AdminDoor& door) {
  control.add("retained.list", [&door](const json::object& request, json::object& reply) {
    return list(door, request, reply);
  });
  control.add_conversation(
      "retained.erase",
      [&door](const json::object& request, Waker& waker,
              std::string& error) -> std::unique_ptr<Conversation> {
        std::string filter = filter_of(request, error);
        if (error.empty() && !door.settings()->config.limits.retain_available) {
          error = "limits.retain_available is false: there are no retained messages";
        }
        if (!error.empty()) return nullptr;
        return std::make_unique<Erase>(door, std::move(filter), waker);
      });
}

}  // namespace linnet::control
