#include "shard/sys_topics.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <malloc.h>
#include <string_view>

#include "base/cat.hpp"
#include "base/version.hpp"

namespace linnet::shard {

namespace {

constexpr std::array<double, 3> kMinutes{1.0, 5.0, 15.0};
constexpr std::array<std::string_view, 3> kSpans{"1min", "5min", "15min"};

struct LoadRow {
  std::string_view name;
  std::uint64_t Counters::*total;
};
constexpr std::array<LoadRow, 9> kLoadRows{{
    {"messages/received", &Counters::messages_received},
    {"messages/sent", &Counters::messages_sent},
    {"publish/received", &Counters::publish_received},
    {"publish/sent", &Counters::publish_sent},
    {"publish/dropped", &Counters::publish_dropped},
    {"bytes/received", &Counters::bytes_received},
    {"bytes/sent", &Counters::bytes_sent},
    {"connections", &Counters::connections_total},
    {"sockets", &Counters::sockets_total},
}};

struct CounterRow {
  std::string_view name;
  std::uint64_t Counters::*value;
};
constexpr std::array<CounterRow, 26> kCounterRows{{
    {"bytes/received", &Counters::bytes_received},
    {"bytes/sent", &Counters::bytes_sent},
    {"messages/received", &Counters::messages_received},
    {"messages/sent", &Counters::messages_sent},
    {"publish/messages/received", &Counters::publish_received},
    {"publish/messages/sent", &Counters::publish_sent},
    {"publish/messages/dropped", &Counters::publish_dropped},
    {"publish/messages/expired", &Counters::publish_expired},
    {"publish/messages/refused", &Counters::publish_refused},
    {"publish/messages/denied", &Counters::publish_denied},
    {"publish/bytes/received", &Counters::publish_bytes_received},
    {"publish/bytes/sent", &Counters::publish_bytes_sent},
    {"clients/connected", &Counters::clients_connected},
    {"clients/total", &Counters::sessions},
    {"clients/expired", &Counters::clients_expired},
    {"clients/slowed", &Counters::clients_slowed},
    {"connections/socket/count", &Counters::sockets},
    {"packet/out/count", &Counters::backlog_messages},
    {"packet/out/bytes", &Counters::backlog_bytes},
    {"subscriptions/denied", &Counters::subscriptions_denied},
    {"subscriptions/removed", &Counters::subscriptions_removed},
    {"shared_subscriptions/count", &Counters::shared_subscriptions},
    {"memory/dropped", &Counters::memory_dropped},
    {"memory/paused", &Counters::memory_paused},
    {"memory/connections/refused", &Counters::memory_connections_refused},
    {"memory/subscriptions/refused", &Counters::memory_subscriptions_refused},
}};

std::string with_two_decimals(double value) {
  std::array<char, 64> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 2);
  return {text.data(), end.ptr};
}

}  // namespace

void append_memory(std::vector<SysTopic>& topics, const MemoryBudget& memory) {
  topics.push_back({"$SYS/broker/memory/max", cat(memory.limit())});
  topics.push_back({"$SYS/broker/memory/used", cat(memory.used())});
  topics.push_back({"$SYS/broker/memory/pressure", std::string(name_of(memory.level()))});
}

void LoadAverage::add(std::uint64_t total, double elapsed_s) {
  const double rate = static_cast<double>(total - last_) / elapsed_s * 60.0;
  last_ = total;
  for (std::size_t span = 0; span < averages_.size(); ++span) {
    const double weight = std::exp(-elapsed_s / (kMinutes[span] * 60.0));
    averages_[span] = rate + weight * (averages_[span] - rate);
  }
}

void SysTopics::update(const Counters& counters, const store::StoreFigures& store,
                       std::uint64_t now_ms) {
  counters_ = counters;
  store_ = store;
  clients_maximum_ = std::max(clients_maximum_, counters.clients_connected);
  heap_ = ::mallinfo2().uordblks;
  heap_maximum_ = std::max(heap_maximum_, heap_);
  if (now_ms <= last_ms_) return;
  const double elapsed_s = static_cast<double>(now_ms - last_ms_) / 1000.0;
  last_ms_ = now_ms;
  for (std::size_t row = 0; row < kLoadRows.size(); ++row) {
    loads_[row].add(counters.*kLoadRows[row].total, elapsed_s);
  }
}

std::vector<SysTopic> SysTopics::list() const {
  std::vector<SysTopic> topics;
  const auto add = [&](std::string_view name, std::string value) {
    topics.push_back({cat("$SYS/broker/", name), std::move(value)});
  };
  add("version", cat("linnet version ", kVersion));
  add("uptime", cat((last_ms_ - started_ms_) / 1000, " seconds"));
  for (const CounterRow& row : kCounterRows)
    add(row.name, cat(counters_.*row.value));
  const std::uint64_t away = counters_.sessions - counters_.clients_connected;
  add("clients/disconnected", cat(away));
  add("clients/inactive", cat(away));
  add("clients/active", cat(counters_.clients_connected));
  add("clients/maximum", cat(clients_maximum_));
  add("subscriptions/count", cat(counters_.subscriptions + counters_.shared_subscriptions));
  add("retained messages/count", cat(store_.retained_messages));
  add("store/messages/count", cat(store_.retained_messages + counters_.backlog_messages));
  add("store/messages/bytes", cat(store_.retained_bytes + counters_.backlog_bytes));
  add("messages/stored", cat(store_.retained_messages + counters_.backlog_messages));
  add("store/file/bytes", cat(store_.file_bytes));
  add("store/used/bytes", cat(store_.used_bytes));
  add("store/commits", cat(store_.commits));
  add("store/commit/microseconds", cat(store_.commit_us));
  add("store/bytes/written", cat(store_.bytes_written));
  add("store/outgoing/written", cat(store_.outgoing_saved));
  add("store/outgoing/taken_back", cat(store_.taken_back));
  if (store_.outgoing_saved > 0) {
    add("store/bytes/written per message", cat(store_.bytes_written / store_.outgoing_saved));
  }
  add("store/alarm", store_.alarm.empty() ? "none" : store_.alarm);
  add("heap/current", cat(heap_));
  add("heap/maximum", cat(heap_maximum_));
  for (std::size_t row = 0; row < kLoadRows.size(); ++row) {
    for (std::size_t span = 0; span < kSpans.size(); ++span) {
      add(cat("load/", kLoadRows[row].name, "/", kSpans[span]),
          with_two_decimals(loads_[row].per_minute(span)));
    }
  }
  return topics;
}

}  // namespace linnet::shard
