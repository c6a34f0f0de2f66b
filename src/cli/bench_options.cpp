#include "cli/bench_options.hpp"

#include <CLI/CLI.hpp>

#include "base/cat.hpp"
#include "config/value.hpp"

namespace linnet::cli {

namespace {

constexpr const char* kExamples =
    "Scenarios:\n"
    "  p2p       each of 10 publishers to a subscriber of its own\n"
    "  fanout    one publisher to 100 subscribers\n"
    "  fanin     1,000 publishers to one subscriber\n"
    "  wildcard  random topics to 2,000 filters that are exact, have a + or end with #\n"
    "  shared    10 publishers to a group of 10 subscribers, who share the messages\n"
    "  idle      10,000 connections: the broker's memory for each (with --pid)\n"
    "  connect   connections that come and go, 50 at a time\n"
    "  retained  10,000 retained messages, set and then fetched\n"
    "  offline   10,000 messages for sessions that are away, queued and then drained\n"
    "\n"
    "Examples:\n"
    "  linnet bench p2p\n"
    "  linnet bench fanout --subs 1000 --qos 1 --duration 5s\n"
    "  linnet bench p2p --qos 1 --rate 5000                      latency, not throughput\n"
    "  linnet bench p2p --url mqtts://broker:8883 --ca ca.crt --user ada\n"
    "  linnet bench idle --pid \"$(pidof mosquitto)\" --json\n"
    "\n"
    "Exit codes: 0 all is well, 1 something was lost at QoS 1 or 2 (or came twice at QoS 2) or "
    "the\n"
    "run was broken off, 2 wrong usage. Ctrl-C ends the run and prints what was measured.";

std::string time_fault(const std::string& text) {
  const auto time_ms = config::parse_duration_ms(text);
  return time_ms ? "" : "write a time like 500ms, 10s or 2m";
}

void add_counts(CLI::App& app, bench::Options& run) {
  app.add_option("--pubs", run.publishers, "Publishers")->type_name("N");
  app.add_option("--subs", run.subscribers, "Subscribers")->type_name("N");
  app.add_option("--topics", run.topics, "Topics")->type_name("N");
  app.add_option("--clients", run.clients, "idle: connections; connect: how many at a time")
      ->type_name("N");
  app.add_option("--qos", run.qos, "Quality of service: 0, 1 or 2")->type_name("QOS");
  app.add_option("--payload", run.payload, "Bytes of each message (16)")->type_name("BYTES");
  app.add_option("--rate", run.rate, "Messages a second in all; without it as fast as it goes")
      ->type_name("N");
  app.add_option("--inflight", run.inflight, "Window of each publisher at QoS 1 and 2 (100)")
      ->type_name("N");
  app.add_option("--outstanding", run.outstanding,
                 "Deliveries under way at most (the larger of 10,000 and 16 x fan-out)")
      ->type_name("N");
}

void add_time(CLI::App& app, BenchOptions& options) {
  const auto add = [&](const char* name, std::string& target, const char* text) {
    app.add_option(name, target, text)->type_name("TIME")->check(time_fault);
  };
  add("--duration", options.duration, "How long to measure (10s)");
  add("--warmup", options.warmup, "How long to run before that (2s)");
  add("--wait", options.wait, "Silence after which what is missing is lost (QoS 0: 3s, else 10s)");
  app.add_option("--messages", options.run.messages, "How many to send, instead of --duration")
      ->type_name("N");
}

void add_broker(CLI::App& app, BenchOptions& options) {
  bench::Options& run = options.run;
  app.add_option("--url", run.url, "mqtt://, mqtts://, ws://, wss:// or unix:")
      ->type_name("URL")
      ->capture_default_str();
  app.add_option("--protocol", run.protocol, "3 (MQTT 3.1), 4 (3.1.1) or 5 (5.0)")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--user", run.user, "User name")->type_name("NAME");
  auto* password =
      app.add_option("--password", run.password, "Seen by who lists processes")->type_name("TEXT");
  app.add_option("--password-file", options.password_file, "Its first line")
      ->type_name("FILE")
      ->excludes(password);
  app.add_option("--ca", run.ca, "Whom to believe: a PEM file or a folder (the system's)")
      ->type_name("PATH");
  app.add_option("--cert", run.cert, "Our own certificate")->type_name("FILE");
  app.add_option("--key", run.key, "Its key")->type_name("FILE");
  app.add_flag("--insecure", run.insecure, "Believe every server");
  app.add_option("--pid", run.pid, "The broker's process, if it is on this machine")
      ->type_name("PID")
      ->check(CLI::PositiveNumber);
}

}  // namespace

void add_bench_options(CLI::App& app, BenchOptions& options) {
  app.add_option("SCENARIO", options.run.scenario, cat("One of ", bench::scenario_names()))
      ->required();
  add_broker(app, options);
  add_counts(app, options.run);
  add_time(app, options);
  app.add_option("--seed", options.run.seed, "For what is chosen by chance (1)")->type_name("N");
  app.add_flag("--json", options.json, "Print one line of JSON, for scripts");
  app.footer(kExamples);
}

}  // namespace linnet::cli
