// `linnet status`, `clients`, `sessions`, `kick` and `retained`: one question each, or a few pages.
#include <algorithm>
#include <utility>

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "cli/answer_text.hpp"
#include "cli/inspect_options.hpp"
#include "cli/options.hpp"
#include "control/client.hpp"

namespace linnet::cli {
namespace {

namespace json = boost::json;
using Rows = std::vector<std::vector<std::string>>;

constexpr std::uint64_t kPageMax = 1000;

void print_row(std::string_view name, std::string_view value) {
  constexpr std::size_t kColumn = 12;
  std::string row(name);
  row.resize(kColumn, ' ');
  print_line(cat(row, value));
}

void print_status(const json::object& reply) {
  const json::object& counters = object_in(reply, "counters");
  const json::object& memory = object_in(reply, "memory");
  const json::object& store = object_in(reply, "store");
  const auto count = [&](std::string_view key) { return number_in(counters, key); };
  print_row("health", text_in(reply, "health"));
  print_row("broker",
            cat("Linnet ", text_in(reply, "version"), ", up for ",
                span_text(number_in(reply, "uptime_s")), ", ", number_in(reply, "threads"),
                " threads, in ", text_in(reply, "directory")));
  for (const json::value& url : array_in(reply, "listeners")) {
    if (url.is_string()) print_row("listens on", log::escaped_text(url.as_string().c_str()));
  }
  print_row("clients", cat(count("clients_connected"), " connected, ", count("sessions"),
                           " sessions, ", count("subscriptions"), " subscriptions"));
  print_row("received", cat(count("publish_received"), " messages, ",
                            size_text(count("bytes_received")), " in all"));
  print_row("sent",
            cat(count("publish_sent"), " messages, ", size_text(count("bytes_sent")), " in all"));
  print_row("not sent", cat(count("publish_dropped"), " dropped, ", count("publish_expired"),
                            " expired, ", count("publish_refused"), " refused"));
  print_row("waiting",
            cat(count("backlog_messages"), " messages of ", size_text(count("backlog_bytes"))));
  print_row("retained", cat(number_in(store, "retained_messages"), " messages of ",
                            size_text(number_in(store, "retained_bytes"))));
  print_row("store", cat(size_text(number_in(store, "used_bytes")), " in use; a commit takes ",
                         number_in(store, "commit_us"), " us"));
  print_row("memory",
            cat(size_text(number_in(memory, "used")), " of ", size_text(number_in(memory, "max"))));
}

std::string expiry_text(const json::object& session) {
  if (text_in(session, "expiry_s") == "never") return "never";
  const std::uint64_t expiry_s = number_in(session, "expiry_s");
  return expiry_s == 0 ? "with its connection" : cat("after ", span_text(expiry_s));
}

void print_sessions(const std::vector<json::object>& sessions, bool connected_only) {
  Rows rows{{"CLIENT", "USER", "ADDRESS", "VERSION", ">SUBS", ">INFLIGHT", ">WAITING", ">OUTBOX"}};
  if (!connected_only) rows.front().emplace_back("ENDS");
  for (const json::object& one : sessions) {
    const bool connected = flag_in(one, "connected");
    const std::string user = text_in(one, "user");
    rows.push_back({text_in(one, "client_id"), user.empty() ? "-" : user,
                    connected ? text_in(one, "address") : "away",
                    connected ? text_in(one, "version") : "-", cat(number_in(one, "subscriptions")),
                    cat(number_in(one, "inflight")), cat(number_in(one, "backlog_messages")),
                    connected ? size_text(number_in(one, "outbox_bytes")) : "-"});
    if (!connected_only) rows.back().push_back(expiry_text(one));
  }
  for (const std::string& line : columns(rows))
    print_line(line);
}

void print_session(const json::object& one) {
  const bool connected = flag_in(one, "connected");
  const std::string user = text_in(one, "user");
  print_row("client", text_in(one, "client_id"));
  print_row("user", user.empty() ? "-" : user);
  if (connected) {
    print_row("connected",
              cat("from ", text_in(one, "address"), " to ", text_in(one, "listener"), " with ",
                  text_in(one, "version"), ", keep alive ", number_in(one, "keep_alive_s"), " s"));
    print_row("outbox", size_text(number_in(one, "outbox_bytes")));
    const std::string waits = text_in(one, "waits_for");
    if (!waits.empty()) print_row("not read", cat("it waits for ", waits));
  } else {
    print_row("connected", "no");
  }
  print_row("ends", expiry_text(one));
  print_row("in flight", cat(number_in(one, "inflight"), " messages"));
  print_row("waiting", cat(number_in(one, "backlog_messages"), " messages of ",
                           size_text(number_in(one, "backlog_bytes"))));
  print_row("missed", cat(number_in(one, "dropped"), " messages since it was last told"));
  const json::array& filters = array_in(one, "filters");
  for (const json::value& filter : filters) {
    if (!filter.is_object()) continue;
    print_row("subscribed", cat(text_in(filter.as_object(), "filter"), " with QoS ",
                                number_in(filter.as_object(), "qos")));
  }
  const std::uint64_t all = number_in(one, "subscriptions");
  if (all > filters.size()) print_row("", cat("... and ", all - filters.size(), " more"));
}

void print_retained(const std::vector<json::object>& messages) {
  Rows rows{{"TOPIC", ">QOS", ">SIZE", "PAYLOAD"}};
  for (const json::object& one : messages) {
    rows.push_back({text_in(one, "topic"), cat(number_in(one, "qos")),
                    size_text(number_in(one, "bytes")),
                    cat(text_in(one, "payload"), flag_in(one, "cut") ? ".." : "")});
  }
  for (const std::string& line : columns(rows))
    print_line(line);
}

/// All pages of a list up to --limit, in one answer: its `member` has all their rows.
bool ask_pages(const InspectOptions& options, json::object request, const char* member,
               json::object& answer, int& code) {
  json::array all;
  std::string after = options.after;
  while (true) {
    request["limit"] = std::min<std::uint64_t>(options.limit - all.size(), kPageMax);
    if (!after.empty()) request["after"] = after;
    json::object reply;
    if (!ask_broker(options.broker, request, reply, code)) return false;
    for (const json::value& one : array_in(reply, member)) {
      if (one.is_object()) all.push_back(one);
    }
    const json::value* next = reply.if_contains("next");
    const bool more = next != nullptr && next->is_string();
    if (more && all.size() < options.limit) {
      after = next->as_string().c_str();
      continue;
    }
    reply[member] = std::move(all);
    reply.erase("matching");
    answer = std::move(reply);
    return true;
  }
}

int list(const InspectOptions& options, const json::object& request, const char* member) {
  int code = kOk;
  json::object answer;
  if (!ask_pages(options, request, member, answer, code)) return code;
  if (options.broker.json) {
    print_json(answer);
    return kOk;
  }
  std::vector<json::object> rows;
  for (const json::value& one : array_in(answer, member))
    rows.push_back(one.as_object());
  if (options.action == "retained ls") {
    print_retained(rows);
  } else if (!options.client_id.empty()) {
    print_session(rows.front());
  } else {
    print_sessions(rows, options.action == "clients");
  }
  if (answer.contains("next")) {
    print_error(cat("there are more: go on with --after '", text_in(answer, "next"),
                    "', or raise --limit"));
  }
  if (flag_in(answer, "partial")) {
    print_error("too many have come and gone meanwhile: some may be missing");
  }
  return kOk;
}

int status(const InspectOptions& options) {
  int code = kOk;
  json::object reply;
  if (!ask_broker(options.broker, {{"command", "status"}}, reply, code)) return code;
  if (options.broker.json) {
    print_json(reply);
  } else {
    print_status(reply);
  }
  return text_in(reply, "health") == "healthy" ? kOk : kFailed;
}

int kick(const InspectOptions& options) {
  int code = kOk;
  json::object reply;
  const json::object request{
      {"command", "kick"}, {"client_id", options.client_id}, {"end_session", options.ends_session}};
  if (!ask_broker(options.broker, request, reply, code)) return code;
  if (options.broker.json) {
    print_json(reply);
    return kOk;
  }
  const bool was = flag_in(reply, "was_connected");
  const bool ended = flag_in(reply, "session_ended");
  print_line(cat(was ? "disconnected" : "it was not connected",
                 ended ? "; its session has ended" : "; its session goes on"));
  return kOk;
}

int erase_retained(const InspectOptions& options) {
  int code = kOk;
  json::object reply;
  const json::object request{{"command", "retained.erase"}, {"filter", options.filter}};
  if (!ask_broker(options.broker, request, reply, code)) return code;
  if (options.broker.json) {
    print_json(reply);
  } else {
    print_line(cat("erased: ", number_in(reply, "erased")));
  }
  return kOk;
}

int log_levels(const InspectOptions& options) {
  int code = kOk;
  json::object reply;
  json::object levels;
  for (const std::string& one : options.levels) {
    const std::size_t sign = one.find('=');
    levels[one.substr(0, sign)] = one.substr(sign + 1);
  }
  const json::object request{{"command", "log"}, {"levels", levels}};
  if (!ask_broker(options.broker, request, reply, code)) return code;
  if (options.broker.json) {
    print_json(reply);
    return kOk;
  }
  for (const auto& member : object_in(reply, "levels")) {
    const std::string_view room(member.key().data(), member.key().size());
    print_row(room, text_in(object_in(reply, "levels"), room));
  }
  return kOk;
}

}  // namespace

int inspect(const InspectOptions& options) {
  if (options.action == "status") return status(options);
  if (options.action == "log") return log_levels(options);
  if (options.action == "kick") return kick(options);
  if (options.action == "retained rm") return erase_retained(options);
  if (options.action == "retained ls") {
    const std::string filter = options.filter.empty() ? "#" : options.filter;
    return list(options, {{"command", "retained.list"}, {"filter", filter}}, "messages");
  }
  if (options.action == "clients" || options.action == "sessions") {
    json::object request{{"command", options.action}};
    if (!options.client_id.empty()) request["client_id"] = options.client_id;
    return list(options, request, "sessions");
  }
  return options.action == "top" ? top(options) : trace(options);
}

}  // namespace linnet::cli
