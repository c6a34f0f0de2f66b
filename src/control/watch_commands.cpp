#include "control/watch_commands.hpp"

#include <optional>
#include <utility>

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "base/clock.hpp"
#include "base/topic.hpp"
#include "control/admin_json.hpp"
#include "control/asked.hpp"
#include "control/request.hpp"
#include "shard/tops.hpp"
#include "shard/trace.hpp"

namespace linnet::control {

namespace {

namespace json = boost::json;

constexpr std::uint64_t kForever = ~std::uint64_t{0};

std::string line_of(const json::object& object) {
  return cat(std::string_view(json::serialize(object)), '\n');
}

/// Lets an observer look at all shards as long as it lives.
class Look {
 public:
  Look(shard::PostOffice& post, shard::ObserverPtr observer)
      : post_(post), observer_(std::move(observer)) {
    tell(true);
  }
  Look(const Look&) = delete;
  Look& operator=(const Look&) = delete;
  ~Look() { tell(false); }

 private:
  void tell(bool looks) {
    for (shard::ShardId id = 0; id < post_.shards(); ++id)
      post_.mailbox(id).post(shard::ObserverLetter{observer_, looks});
  }

  shard::PostOffice& post_;
  const shard::ObserverPtr observer_;
};

/// {"ok":true,"tracing":true}, then a line for each step, and {"lost":12} where there was no room.
class Tracing final : public Conversation {
 public:
  Tracing(const AdminDoor& door, shard::TraceFilter filter, Waker& waker)
      : trace_(new shard::Trace(std::move(filter), &waker)),
        look_(door.post, trace_),
        // When all shards have answered this, they look.
        begun_(std::in_place, door.post, shard::Question{}, waker) {}
  ~Tracing() override { trace_->leave(); }

  [[nodiscard]] bool speak(std::string& output) override {
    if (begun_ && !begin(output)) return true;
    constexpr std::size_t kAtOnce = 256;
    const auto taken = trace_->take(kAtOnce);
    for (const shard::TraceRecord& record : taken.records)
      output += line_of(json_of(record));
    if (taken.lost > 0) output += line_of({{"lost", taken.lost}});
    return true;
  }
  [[nodiscard]] std::uint64_t due_ms() const override {
    return begun_ ? begun_->due_ms() : kForever;
  }
  [[nodiscard]] bool endless() const noexcept override { return true; }

 private:
  bool begin(std::string& output) {
    shard::Findings ignored;
    if (begun_->look(ignored) == Asked::State::waits) return false;
    begun_.reset();
    output += line_of({{"ok", true}, {"tracing", true}});
    return true;
  }

  const boost::intrusive_ptr<shard::Trace> trace_;
  const Look look_;
  std::optional<Asked> begun_;
};

/// A line at once, and one after each interval.
class Watching final : public Conversation {
 public:
  Watching(const AdminDoor& door, std::uint64_t interval_ms, std::size_t rows, Waker& waker)
      : door_(door),
        interval_ms_(interval_ms),
        rows_(rows),
        waker_(waker),
        tops_(new shard::Tops(door.post.shards())),
        look_(door.post, tops_) {
    ask();
  }

  [[nodiscard]] bool speak(std::string& output) override {
    const std::uint64_t now_ms = system_clock().now_ms();
    if (!counters_ && !slow_) {
      if (now_ms < next_ms_) return true;
      ask();
    }
    bool late = false;
    const bool have_counters = take(counters_, counted_, late);
    const bool have_slow = take(slow_, slowest_, late);
    if (!have_counters || !have_slow) return true;
    output += line(now_ms, late);
    return true;
  }
  [[nodiscard]] std::uint64_t due_ms() const override {
    if (!counters_ && !slow_) return next_ms_;
    return std::min(counters_ ? counters_->due_ms() : kForever, slow_ ? slow_->due_ms() : kForever);
  }
  [[nodiscard]] bool endless() const noexcept override { return true; }

 private:
  void ask() {
    shard::Question slow;
    slow.kind = shard::Question::Kind::list;
    slow.order = shard::Question::Order::by_burden;
    slow.limit = rows_;
    counters_.emplace(door_.post, shard::Question{}, waker_);
    slow_.emplace(door_.post, std::move(slow), waker_);
    next_ms_ = system_clock().now_ms() + interval_ms_;
  }

  static bool take(std::optional<Asked>& asked, shard::Findings& findings, bool& late) {
    if (!asked) return true;
    const auto state = asked->look(findings);
    if (state == Asked::State::waits) return false;
    late = late || state == Asked::State::late;
    asked.reset();
    return true;
  }

  std::string line(std::uint64_t now_ms, bool late) {
    const auto heavy = tops_->take(rows_);
    const std::string_view pressure = name_of(door_.memory.level());
    json::object reply{{"ok", true},
                       {"now_ms", now_ms},
                       {"uptime_s", (now_ms - door_.started_ms) / 1000},
                       {"counters", json_of(counted_.counters)},
                       {"memory_used", door_.memory.used()},
                       {"memory_max", door_.memory.limit()},
                       {"pressure", json::string_view(pressure.data(), pressure.size())},
                       {"topics", json_of(heavy.topics)},
                       {"senders", json_of(heavy.senders)},
                       {"receivers", json_of(heavy.receivers)},
                       {"slow", json_of(slowest_.sessions)}};
    // What was counted before is of no time that is known.
    reply["heavy_ms"] = last_ms_ == 0 ? 0 : now_ms - last_ms_;
    if (late) reply["late"] = kLate;
    last_ms_ = now_ms;
    return line_of(reply);
  }

  const AdminDoor& door_;
  const std::uint64_t interval_ms_;
  const std::size_t rows_;
  Waker& waker_;
  const boost::intrusive_ptr<shard::Tops> tops_;
  const Look look_;
  std::optional<Asked> counters_;
  std::optional<Asked> slow_;
  shard::Findings counted_;
  shard::Findings slowest_;
  std::uint64_t next_ms_ = 0;
  std::uint64_t last_ms_ = 0;
};

std::unique_ptr<Conversation> trace(const AdminDoor& door, const json::object& request,
                                    Waker& waker, std::string& error) {
  shard::TraceFilter filter{text_of(request, "client_id", error),
                            text_of(request, "filter", error)};
  if (error.empty() && filter.client_id.empty() && filter.topic.empty()) {
    error = "a trace needs a \"client_id\" or a \"filter\"";
  }
  if (error.empty() && !filter.topic.empty() && !is_topic_filter(filter.topic, TopicLimits{})) {
    error = cat("\"filter\" is a topic filter, and not \"", filter.topic, '"');
  }
  if (!error.empty()) return nullptr;
  return std::make_unique<Tracing>(door, std::move(filter), waker);
}

std::unique_ptr<Conversation> top(const AdminDoor& door, const json::object& request, Waker& waker,
                                  std::string& error) {
  constexpr std::uint64_t kShortest_ms = 100;
  constexpr std::uint64_t kLongest_ms = 3'600'000;
  constexpr std::uint64_t kRowsMax = 100;
  const std::uint64_t interval_ms = number_of(request, "interval_ms", 2'000, error);
  const std::uint64_t rows = number_of(request, "rows", 10, error);
  if (error.empty() && (interval_ms < kShortest_ms || interval_ms > kLongest_ms)) {
    error = cat("\"interval_ms\" is ", kShortest_ms, " to ", kLongest_ms);
  }
  if (error.empty() && (rows == 0 || rows > kRowsMax)) error = "\"rows\" is 1 to 100";
  if (!error.empty()) return nullptr;
  return std::make_unique<Watching>(door, interval_ms, static_cast<std::size_t>(rows), waker);
}

}  // namespace

void add_watch_commands(Control& control, const AdminDoor& door) {
  control.add_conversation("trace",
                           [&door](const json::object& request, Waker& waker, std::string& error) {
                             return trace(door, request, waker, error);
                           });
  control.add_conversation("top",
                           [&door](const json::object& request, Waker& waker, std::string& error) {
                             return top(door, request, waker, error);
                           });
}

}  // namespace linnet::control
