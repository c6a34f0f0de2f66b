// `linnet top`: pictures of what a broker does; on a terminal one that changes, else some, one
// after the other.
#include <algorithm>
#include <csignal>
#include <optional>
#include <unistd.h>
#include <utility>

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "cli/answer_text.hpp"
#include "cli/inspect_options.hpp"
#include "cli/options.hpp"
#include "cli/terminal.hpp"
#include "cli/top_picture.hpp"
#include "config/value.hpp"
#include "control/client.hpp"

namespace linnet::cli {
namespace {

namespace json = boost::json;

int print_pictures(const InspectOptions& options, control::Call& call) {
  std::string error;
  json::object before;
  if (!call.hear(before, error)) return fail(options.broker, error);
  const std::uint64_t count = std::max<std::uint64_t>(options.count, 1);
  const bool endless = options.broker.json && options.count == 0;
  for (std::uint64_t shown = 0; endless || shown < count; ++shown) {
    json::object now;
    if (!call.hear(now, error)) return fail(options.broker, error);
    if (options.broker.json) {
      now["rates"] = rates_between(before, now);
      print_line(json_text(now));
    } else {
      if (shown > 0) print_line("");
      for (const std::string& line : top_picture(&before, now))
        print_line(line);
    }
    before = std::move(now);
  }
  return kOk;
}

/// Returns the signal that ended it; 0: q. `error`: why the broker has ended it.
int show(const InspectOptions& options, control::Call& call, std::string& error) {
  Terminal terminal;
  std::optional<json::object> before;
  std::optional<json::object> now;
  std::uint64_t shown = 0;
  const auto draw = [&] {
    if (now) terminal.draw(top_picture(before ? &*before : nullptr, *now));
  };
  while (true) {
    const auto event = terminal.wait(call.descriptor());
    if (event == Terminal::Event::quit) return terminal.ended_by();
    if (event == Terminal::Event::resized) {
      draw();
      continue;
    }
    json::object line;
    auto heard = call.hear_now(line, error);
    for (; heard == control::Call::Heard::line; heard = call.hear_now(line, error)) {
      before = std::exchange(now, std::move(line));
      if (before) ++shown;
    }
    if (heard == control::Call::Heard::end) return 0;
    draw();
    if (options.count != 0 && shown >= options.count) return 0;
  }
}

}  // namespace

int top(const InspectOptions& options) {
  int code = kOk;
  const std::string directory = find_broker(options.broker, code);
  if (directory.empty()) return code;
  std::string error;
  const auto call = control::Call::open(directory, error);
  const json::object request{{"command", "top"},
                             {"interval_ms", *config::parse_duration_ms(options.interval)}};
  if (!call || !call->ask(request, error)) return fail(options.broker, error);
  if (options.broker.json || isatty(STDOUT_FILENO) != 1) return print_pictures(options, *call);
  const int signal = show(options, *call, error);
  if (!error.empty()) return fail(options.broker, error);
  // Whoever waits for us is told what we were told; the terminal is as it was.
  if (signal != 0) raise(signal);
  return kOk;
}

}  // namespace linnet::cli
