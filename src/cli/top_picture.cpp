#include "cli/top_picture.hpp"

#include <array>
#include <string_view>

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "cli/answer_text.hpp"

namespace linnet::cli {
namespace {

namespace json = boost::json;
using Rows = std::vector<std::vector<std::string>>;

constexpr std::array<std::string_view, 10> kRates{
    "publish_received",  "publish_sent",     "publish_dropped", "publish_expired",
    "publish_refused",   "publish_denied",   "bytes_received",  "bytes_sent",
    "messages_received", "connections_total"};

/// "0.5", "12", "34,567"
std::string rate_text(double rate) {
  if (rate < 0) return "0";
  const auto tenths = static_cast<std::uint64_t>(rate * 10 + 0.5);
  if (tenths > 0 && tenths < 100) return cat(tenths / 10, '.', tenths % 10);
  std::string digits = cat(tenths / 10);
  for (std::size_t at = digits.size(); at > 3; at -= 3)
    digits.insert(at - 3, ",");
  return digits;
}

double rate_in(const json::object& rates, std::string_view key) {
  const json::value* value = rates.if_contains(json::string_view(key.data(), key.size()));
  return value != nullptr && value->is_double() ? value->as_double() : 0.0;
}

void append(std::vector<std::string>& lines, const Rows& rows) {
  if (rows.size() < 2) return;
  lines.emplace_back();
  for (std::string& line : columns(rows))
    lines.push_back(std::move(line));
}

std::vector<std::string> flow_lines(const json::object& rates) {
  const auto rate = [&](std::string_view key) { return rate_text(rate_in(rates, key)); };
  const auto bytes = [&](std::string_view key) {
    return cat(size_text(static_cast<std::uint64_t>(rate_in(rates, key))), "/s");
  };
  return {cat("received  ", rate("publish_received"), " messages/s, ", bytes("bytes_received"),
              "     sent  ", rate("publish_sent"), " messages/s, ", bytes("bytes_sent")),
          cat("dropped   ", rate("publish_dropped"), "/s, expired ", rate("publish_expired"),
              "/s, refused ", rate("publish_refused"), "/s, denied ", rate("publish_denied"),
              "/s, connections ", rate("connections_total"), "/s")};
}

Rows heavy_rows(const json::object& now, std::string_view key, std::string_view title) {
  Rows rows{{std::string(title), ">MESSAGES/S", ">BYTES/S"}};
  const std::uint64_t time_ms = number_in(now, "heavy_ms");
  if (time_ms == 0) return rows;
  for (const json::value& value : array_in(now, key)) {
    if (!value.is_object()) continue;
    const json::object& one = value.as_object();
    constexpr std::size_t kNameMax = 48;
    const auto per_second = [&](std::string_view what) {
      return static_cast<double>(number_in(one, what)) * 1000.0 / static_cast<double>(time_ms);
    };
    rows.push_back({cut_to(text_in(one, "name"), kNameMax), rate_text(per_second("messages")),
                    size_text(static_cast<std::uint64_t>(per_second("bytes")))});
  }
  return rows;
}

Rows slow_rows(const json::object& now) {
  Rows rows{{"SLOW RECEIVERS", ">OUTBOX", ">WAITING", ">BYTES", ">MISSED", "ADDRESS"}};
  for (const json::value& value : array_in(now, "slow")) {
    if (!value.is_object()) continue;
    const json::object& one = value.as_object();
    constexpr std::size_t kNameMax = 32;
    rows.push_back({cut_to(text_in(one, "client_id"), kNameMax),
                    size_text(number_in(one, "outbox_bytes")),
                    cat(number_in(one, "backlog_messages")),
                    size_text(number_in(one, "backlog_bytes")), cat(number_in(one, "dropped")),
                    flag_in(one, "connected") ? text_in(one, "address") : "away"});
  }
  return rows;
}

}  // namespace

json::object rates_between(const json::object& before, const json::object& now) {
  json::object rates;
  const std::uint64_t from = number_in(before, "now_ms");
  const std::uint64_t to = number_in(now, "now_ms");
  if (to <= from) return rates;
  for (const std::string_view key : kRates) {
    const std::uint64_t old = number_in(object_in(before, "counters"), key);
    const std::uint64_t fresh = number_in(object_in(now, "counters"), key);
    const double change = fresh > old ? static_cast<double>(fresh - old) : 0.0;
    rates[json::string_view(key.data(), key.size())] =
        change * 1000 / static_cast<double>(to - from);
  }
  return rates;
}

std::vector<std::string> top_picture(const json::object* before, const json::object& now) {
  const json::object& counters = object_in(now, "counters");
  const std::string pressure = text_in(now, "pressure");
  std::vector<std::string> lines;
  lines.push_back(
      cat("Linnet, up ", span_text(number_in(now, "uptime_s")), "   clients ",
          number_in(counters, "clients_connected"), " of ", number_in(counters, "sessions"),
          " sessions   subscriptions ", number_in(counters, "subscriptions"), "   memory ",
          size_text(number_in(now, "memory_used")), " of ", size_text(number_in(now, "memory_max")),
          pressure == "none" ? "" : cat(", under pressure: ", pressure)));
  if (const std::string late = text_in(now, "late"); !late.empty()) lines.push_back(late);
  if (before == nullptr) {
    lines.emplace_back("counting ...");
    return lines;
  }
  for (std::string& line : flow_lines(rates_between(*before, now)))
    lines.push_back(std::move(line));
  lines.push_back(cat("waiting   ", number_in(counters, "backlog_messages"), " messages of ",
                      size_text(number_in(counters, "backlog_bytes"))));
  append(lines, heavy_rows(now, "topics", "TOPICS"));
  append(lines, heavy_rows(now, "senders", "SENDERS"));
  append(lines, heavy_rows(now, "receivers", "RECEIVERS"));
  append(lines, slow_rows(now));
  return lines;
}

}  // namespace linnet::cli
