#include "cli/pubsub_options.hpp"

#include <CLI/CLI.hpp>

namespace linnet::cli {

namespace {

constexpr const char* kPubExamples =
    "Examples:\n"
    "  linnet pub -t home/lamp -m on\n"
    "  linnet pub -h broker -t home/state -q 1 -r -f state.json      a file, retained\n"
    "  dmesg -w | linnet pub -t logs/kernel -l                       each line a message\n"
    "  linnet pub -L mqtts://ada:secret@broker/home/lamp -m on       all in a URL\n"
    "  linnet pub -t home/lamp -m '{}' -D publish content-type application/json\n"
    "\n"
    "Exit codes: 0 all messages are sent, and acknowledged at QoS 1 and 2; 1 one was not, or "
    "there\n"
    "was no connection; 2 wrong usage.";

constexpr const char* kSubExamples =
    "Examples:\n"
    "  linnet sub -t 'home/#' -v\n"
    "  linnet sub -t home/lamp -C 1 -W 10                            one message, at most 10 s\n"
    "  linnet sub -L wss://broker/mqtt -t 'home/#' --json | jq .     for programs\n"
    "  linnet sub -t 'home/#' -F '@H:@M:@S %t %p'\n"
    "  linnet sub -t orders -i shop -c -q 2                          a session that is kept\n"
    "\n"
    "On a terminal topics are coloured, JSON is laid out, and what is no text is shown as a dump;\n"
    "in a pipe the bytes are those of the message. A connection that is lost is made again.\n"
    "Exit codes: 0 done, or ended with Ctrl-C; 1 failed; 2 wrong usage; 27 -W has passed.";

constexpr const char* kRrExamples =
    "Examples:\n"
    "  linnet rr -t time/get -n                                      waits for the answer\n"
    "  linnet rr -t time/get -m zone=UTC -e my/answers -W 5\n"
    "\n"
    "Exit codes: 0 the answer is printed; 1 failed; 2 wrong usage; 27 -W has passed.";

using pubsub::Options;

CLI::Option* add_list(CLI::App& app, const char* names, std::vector<std::string>& target,
                      const char* text) {
  return app.add_option(names, target, text)->allow_extra_args(false);
}

void add_broker(CLI::App& app, Options& options) {
  constexpr const char* kGroup = "Broker";
  app.add_option("-L,--url", options.url,
                 "mqtt://, mqtts://, ws://, wss:// or unix:/path; mqtt://user:password@host/topic")
      ->type_name("URL")
      ->group(kGroup);
  app.add_option("-h,--host", options.host, "Host (localhost)")->type_name("HOST")->group(kGroup);
  app.add_option("-p,--port", options.port, "Port (1883, with TLS 8883, WebSocket 8083 and 8084)")
      ->type_name("PORT")
      ->check(CLI::Range(1U, 65'535U).description(""))
      ->group(kGroup);
  app.add_option("--unix", options.unix_path, "Unix socket")->type_name("PATH")->group(kGroup);
  app.add_flag("--ws", options.websocket, "MQTT over WebSocket, at /mqtt")->group(kGroup);
  app.add_option("-A,--bind", options.bind, "Address of this machine to connect from")
      ->type_name("ADDRESS")
      ->group(kGroup);
  app.add_option("-u,--username", options.user, "User name")->type_name("NAME")->group(kGroup);
  app.add_option("-P,--pw", options.password, "Password, seen by who lists processes")
      ->type_name("TEXT")
      ->group(kGroup);
  app.add_option("--password-file", options.password_file, "Its first line is the password")
      ->type_name("FILE")
      ->group(kGroup);
  // All sockets are so; scripts may say it.
  app.add_flag_callback(
         "--nodelay", [] {}, "Accepted; it is always so")
      ->group("");
}

void add_tls(CLI::App& app, Options& options) {
  constexpr const char* kGroup = "TLS";
  const auto add = [&](const char* name, std::string& target, const char* text, const char* type) {
    app.add_option(name, target, text)->type_name(type)->group(kGroup);
  };
  add("--cafile", options.cafile, "Whom to believe (the system's authorities)", "FILE");
  add("--capath", options.capath, "The same, a folder of them", "DIR");
  app.add_flag("--tls-use-os-certs", options.os_certs, "TLS with the system's authorities")
      ->group(kGroup);
  add("--cert", options.cert, "Our own certificate", "FILE");
  add("--key", options.key, "Its key", "FILE");
  app.add_flag("--insecure", options.insecure,
               "Do not ask for the broker's name; without --cafile believe everybody")
      ->group(kGroup);
  add("--psk", options.psk, "Pre-shared key in hexadecimal digits", "KEY");
  add("--psk-identity", options.psk_identity, "And whose it is", "NAME");
  add("--tls-version", options.tls_version, "tlsv1.2 or tlsv1.3 (both)", "VERSION");
  add("--ciphers", options.ciphers, "Ciphers of TLS 1.2", "LIST");
  add("--tls-alpn", options.alpn, "Protocol to ask for by ALPN", "NAME");
}

void add_session(CLI::App& app, Options& options) {
  constexpr const char* kGroup = "Session";
  app.add_option("-i,--id", options.id, "Client identifier (a random one)")
      ->type_name("ID")
      ->group(kGroup);
  app.add_option("-I,--id-prefix", options.id_prefix, "The same, and the process number behind it")
      ->type_name("PREFIX")
      ->group(kGroup);
  app.add_option("-V,--protocol-version", options.version,
                 "mqttv5, mqttv311 or mqttv31 (5, and 3.1.1 where the broker does not know it)")
      ->type_name("VERSION")
      ->group(kGroup);
  app.add_option("-k,--keepalive", options.keep_alive_s, "Keep-alive (60); 0: none")
      ->type_name("SECONDS")
      ->group(kGroup);
  app.add_flag("-c,--disable-clean-session", options.keeps_session,
               "Let the broker keep the session; needs -i")
      ->group(kGroup);
  app.add_option("-x,--session-expiry-interval", options.session_expiry,
                 "For how long, in seconds; -1: for ever (with -c)")
      ->type_name("SECONDS")
      ->group(kGroup);
  add_list(app, "-D,--property", options.properties,
           "A property of MQTT 5: PACKET NAME VALUE, or PACKET user-property NAME VALUE")
      ->type_name("PACKET NAME VALUE")
      ->type_size(3, 4)
      ->group(kGroup);
  app.add_option("--will-topic", options.will_topic, "Topic of the will")
      ->type_name("TOPIC")
      ->group(kGroup);
  app.add_option("--will-payload", options.will_payload, "Its message")
      ->type_name("TEXT")
      ->group(kGroup);
  app.add_option("--will-qos", options.will_qos, "Its QoS (0)")->type_name("QOS")->group(kGroup);
  app.add_flag("--will-retain", options.will_retain, "It is retained")->group(kGroup);
}

void add_message(CLI::App& app, Options& options) {
  constexpr const char* kGroup = "Message";
  add_list(app, "-t,--topic", options.topics, "Topic to publish to")
      ->type_name("TOPIC")
      ->group(kGroup);
  app.add_option("-m,--message", options.message, "The message")->type_name("TEXT")->group(kGroup);
  app.add_option("-f,--file", options.file, "The message is in this file")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_flag("-s,--stdin-file", options.whole_input, "The message is all of standard input")
      ->group(kGroup);
  app.add_flag("-n,--null-message", options.null_message, "An empty message")->group(kGroup);
  app.add_option("-q,--qos", options.qos, "QoS: 0, 1 or 2 (0)")->type_name("QOS")->group(kGroup);
  app.add_flag("-r,--retain", options.retain, "The broker keeps it")->group(kGroup);
}

void add_common_output(CLI::App& app, Options& options) {
  constexpr const char* kGroup = "Output";
  app.add_flag("--json", options.json, "One line of JSON for each message")->group(kGroup);
  app.add_flag("-d,--debug", options.debug, "Say on standard error which packets go and come")
      ->group(kGroup);
  app.add_flag("--quiet", options.quiet, "Say nothing on standard error at run time")
      ->group(kGroup);
}

void add_received_output(CLI::App& app, Options& options) {
  constexpr const char* kGroup = "Output";
  add_common_output(app, options);
  app.add_flag("-v,--verbose", options.verbose, "The topic in front of the message")->group(kGroup);
  app.add_option("-F,--format", options.format,
                 "%t topic, %p payload, %x in hexadecimal, %j JSON, @H time ...")
      ->type_name("FORMAT")
      ->group(kGroup);
  app.add_flag("-N,--no-newline", options.no_end_of_line, "No end of line behind a message")
      ->group(kGroup);
  app.add_flag("--pretty", options.pretty, "Lay out JSON of --json, %j and %J")->group(kGroup);
  app.add_option("--color", options.color, "auto, always or never (auto: on a terminal)")
      ->type_name("WHEN")
      ->group(kGroup);
  app.add_flag("-R,--no-retained", options.no_retained, "Leave out retained messages")
      ->group("Messages");
  app.add_option("-W,--timeout", options.timeout_s, "End after this time")
      ->type_name("SECONDS")
      ->group("Messages");
}

void add_pub(CLI::App& app, Options& options) {
  add_message(app, options);
  app.add_flag("-l,--stdin-line", options.lines, "Each line of standard input is a message")
      ->group("Message");
  app.add_option("--repeat", options.repeat, "Send it so often (1)")
      ->type_name("N")
      ->group("Message");
  app.add_option("--repeat-delay", options.repeat_delay_s, "Wait between two of them")
      ->type_name("SECONDS")
      ->group("Message");
  app.add_option("-M,--max-inflight", options.inflight_max, "Messages under way at most (20)")
      ->type_name("N")
      ->group("Message");
  add_common_output(app, options);
  app.footer(kPubExamples);
}

void add_sub(CLI::App& app, Options& options) {
  constexpr const char* kGroup = "Messages";
  add_list(app, "-t,--topic", options.topics, "Filter; may be given again")
      ->type_name("FILTER")
      ->group(kGroup);
  app.add_option("-q,--qos", options.qos, "QoS at most: 0, 1 or 2 (0)")
      ->type_name("QOS")
      ->group(kGroup);
  app.add_option("-C,--count", options.count, "End after so many messages")
      ->type_name("N")
      ->group(kGroup);
  add_list(app, "-T,--filter-out", options.filters_out, "Leave out what this filter matches")
      ->type_name("FILTER")
      ->group(kGroup);
  add_list(app, "-U,--unsubscribe", options.unsubscribe, "End a subscription of a kept session")
      ->type_name("FILTER")
      ->group(kGroup);
  app.add_flag("-E,--exit-subscribed", options.exits_when_subscribed, "End when subscribed")
      ->group(kGroup);
  app.add_flag("--retained-only", options.retained_only,
               "Retained messages only; end at the first other one")
      ->group(kGroup);
  app.add_flag("--remove-retained", options.remove_retained, "And take them from the broker")
      ->group(kGroup);
  app.add_flag("--retain-as-published", options.retain_as_published,
               "Messages keep their retain flag")
      ->group(kGroup);
  app.add_option("--retain-handling", options.retain_handling,
                 "Retained messages: 0 send, 1 for new subscriptions, 2 never")
      ->type_name("N")
      ->group(kGroup);
  app.add_flag("--no-local", options.no_local, "Not what this client publishes")->group(kGroup);
  app.add_option("--random-filter", options.random_percent, "Print this share of the messages")
      ->type_name("PERCENT")
      ->group(kGroup);
  add_received_output(app, options);
  app.footer(kSubExamples);
}

void add_rr(CLI::App& app, Options& options) {
  add_message(app, options);
  app.add_option("-e,--response-topic", options.response_topic,
                 "Where the answer comes to (a topic of its own)")
      ->type_name("TOPIC")
      ->group("Message");
  add_received_output(app, options);
  app.footer(kRrExamples);
}

CLI::App& add_command(CLI::App& app, const char* name, const char* text, Options& options) {
  CLI::App& command = *app.add_subcommand(name, text);
  // -h is the host, as in Mosquitto's tools.
  command.set_help_flag("--help", "Print this help and exit");
  add_broker(command, options);
  add_tls(command, options);
  add_session(command, options);
  return command;
}

}  // namespace

void add_pubsub_commands(CLI::App& app, PubsubOptions& options) {
  add_pub(add_command(app, "pub", "Publish messages", options.pub), options.pub);
  add_sub(add_command(app, "sub", "Subscribe, and print what comes", options.sub), options.sub);
  add_rr(add_command(app, "rr", "Send a request, and print its answer", options.rr), options.rr);
}

}  // namespace linnet::cli
