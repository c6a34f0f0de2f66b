// `linnet trace`: a line for each thing that happens to a message, until it is interrupted.
#include <boost/json.hpp>

#include "base/cat.hpp"
#include "cli/answer_text.hpp"
#include "cli/inspect_options.hpp"
#include "cli/options.hpp"
#include "control/client.hpp"

namespace linnet::cli {
namespace {

namespace json = boost::json;

/// What is said of a message itself.
std::string message_text(const json::object& line) {
  if (!line.contains("topic")) {
    const std::uint64_t packet_id = number_in(line, "packet_id");
    return packet_id == 0 ? std::string() : cat("packet ", packet_id);
  }
  std::string text = cat('"', text_in(line, "topic"), "\" QoS ", number_in(line, "qos"));
  if (number_in(line, "packet_id") != 0) text += cat(", packet ", number_in(line, "packet_id"));
  if (flag_in(line, "retain")) text += ", retain";
  if (flag_in(line, "dup")) text += ", dup";
  return cat(text, ", ", size_text(number_in(line, "bytes")));
}

std::string reach_text(const json::object& line) {
  const std::uint64_t receivers = number_in(line, "receivers");
  const std::uint64_t others = number_in(line, "other_shards");
  if (receivers == 0 && others == 0) return "; nobody subscribes to it";
  std::string text = cat("; ", receivers, receivers == 1 ? " receiver" : " receivers");
  if (others > 0) text += cat(" here, and more in ", others, others == 1 ? " thread" : " threads");
  return text;
}

/// "12:34:56.789012 sent          to sensor-17: "a/b" QoS 1, packet 3, 12 B"
std::string line_text(const json::object& line) {
  constexpr std::size_t kDate = 11;  // "2026-01-01T"
  constexpr std::size_t kColumn = 14;
  std::string time = text_in(line, "time");
  if (time.size() > kDate && time.ends_with('Z'))
    time = time.substr(kDate, time.size() - kDate - 1);
  std::string step = text_in(line, "step");
  const bool from = step == "received" || step == "refused" || step == "waits" || step == "will" ||
                    (step == "denied" && text_in(line, "publisher") == text_in(line, "client_id"));
  const bool answers = step == "acknowledged" || step == "completed";
  const std::string_view word = from ? "from " : answers ? "by " : "to ";
  const bool received = step == "received";
  step.resize(kColumn, ' ');
  std::string text = cat(time, ' ', step, word, text_in(line, "client_id"));
  const std::string message = message_text(line);
  if (!message.empty()) text += cat(": ", message);
  if (received) text += reach_text(line);
  const std::string why = text_in(line, "why");
  return why.empty() ? text : cat(text, ": ", why);
}

void print(const InspectOptions& options, const json::object& line) {
  if (options.broker.json) return print_line(json_text(line));
  const std::uint64_t lost = number_in(line, "lost");
  print_line(lost > 0 ? cat("... ", lost, " more, which came too fast to be shown")
                      : line_text(line));
}

}  // namespace

int trace(const InspectOptions& options) {
  int code = kOk;
  const std::string directory = find_broker(options.broker, code);
  if (directory.empty()) return code;
  json::object request{{"command", "trace"}};
  if (!options.client_id.empty()) request["client_id"] = options.client_id;
  if (!options.filter.empty()) request["filter"] = options.filter;
  std::string error;
  const auto call = control::Call::open(directory, error);
  if (!call || !call->ask(request, error)) return fail(options.broker, error);
  json::object line;
  if (!call->hear(line, error)) return fail(options.broker, error);
  if (!options.broker.json) print_error("tracing; Ctrl+C ends it");
  for (std::uint64_t lines = 0; options.count == 0 || lines < options.count; ++lines) {
    if (!call->hear(line, error)) return fail(options.broker, error);
    print(options, line);
  }
  return kOk;
}

}  // namespace linnet::cli
