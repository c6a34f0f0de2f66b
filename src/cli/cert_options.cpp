#include "cli/cert_options.hpp"

#include <CLI/CLI.hpp>

namespace linnet::cli {
namespace {

CLI::App& add_action(CLI::App& app, CertOptions& options, const char* action, const char* text) {
  CLI::App* command = app.add_subcommand(action, text);
  command->callback([&options, action] { options.action = action; });
  return *command;
}

void add_dir(CLI::App& app, CertOptions& options, const char* text) {
  app.add_option("--dir", options.dir, text)->type_name("DIR")->capture_default_str();
}

void add_days(CLI::App& app, CertOptions& options, const char* text) {
  app.add_option("--days", options.days, text)
      ->type_name("DAYS")
      ->check(CLI::Range(1, 36'500).description(""));
}

void add_force(CLI::App& app, CertOptions& options, const char* text) {
  app.add_flag("--force", options.force, text);
}

void add_rsa(CLI::App& app, CertOptions& options) {
  app.add_flag("--rsa", options.rsa, "An RSA key of 3072 bits, for devices that know no ECDSA");
}

void add_ca(CLI::App& app, CertOptions& options) {
  CLI::App& ca = add_action(app, options, "ca", "Make an authority: DIR/ca.crt and DIR/ca.key");
  add_dir(ca, options, "The folder, made where it is missing");
  ca.add_option("--name", options.name, "What people see; default: Linnet CA of this machine");
  add_days(ca, options, "How long it is valid; default: 3650");
  add_rsa(ca, options);
  add_force(ca, options, "Replace an authority; all that it has signed is then void");
  ca.footer("Example:\n  linnet cert ca --name 'Home CA'");
}

void add_server(CLI::App& app, CertOptions& options) {
  CLI::App& server =
      add_action(app, options, "server", "Make a server's certificate and print its listener");
  server.add_option("NAME", options.names,
                    "DNS names and IP addresses that clients connect to; default: this machine's "
                    "host name, HOST.local, localhost, and the addresses of its interfaces");
  add_dir(server, options, "The authority's folder, and the new files'");
  server.add_option("--out", options.out, "The files' name without .crt and .key")
      ->type_name("BASENAME")
      ->capture_default_str();
  add_days(server, options, "How long it is valid, at most 825, which is the default");
  add_rsa(server, options);
  add_force(server, options, "Replace a certificate and its key: renew it");
  server.footer(
      "Examples:\n"
      "  linnet cert server\n"
      "  linnet cert server broker.example 192.0.2.7 '*.home.example'\n"
      "  linnet cert server --force && kill -HUP \"$(pidof linnet)\"    renew it and use it\n"
      "All that is printed is TOML: linnet cert server >> linnet.toml");
}

void add_client(CLI::App& app, CertOptions& options) {
  CLI::App& client =
      add_action(app, options, "client", "Make a client's certificate: DIR/NAME.crt and .key");
  client.add_option("NAME", options.name, "The common name, which can be the MQTT user name")
      ->required();
  add_dir(client, options, "The authority's folder, and the new files'");
  add_days(client, options, "How long it is valid; default: 825");
  add_rsa(client, options);
  add_force(client, options, "Replace a certificate and its key: renew it");
  client.footer(
      "Example:\n"
      "  linnet cert client anna\n"
      "  mosquitto_pub --cafile certs/ca.crt --cert certs/anna.crt --key certs/anna.key ...");
}

void add_psk(CLI::App& app, CertOptions& options) {
  CLI::App& psk = add_action(app, options, "psk", "Make a pre-shared key, and print it once");
  psk.add_option("IDENTITY", options.name, "The name that belongs to the key")->required();
  psk.add_option("--file", options.psk_file, "The listener's tls.psk_file, made where missing")
      ->type_name("FILE")
      ->capture_default_str();
  add_force(psk, options, "Give an identity that has one a new key");
  psk.footer(
      "Example:\n"
      "  linnet cert psk sensor-7\n"
      "  mosquitto_pub --psk-identity sensor-7 --psk KEY ...");
}

void add_revoke(CLI::App& app, CertOptions& options) {
  CLI::App& revoke = add_action(app, options, "revoke",
                                "Put certificates into DIR/ca.crl, the listener's tls.crl");
  revoke.add_option("FILE", options.files,
                    "Certificates of clients; none: only make the list or prolong it");
  add_dir(revoke, options, "The authority's folder");
  add_days(revoke, options, "How long the list counts; default: as long as the authority");
  revoke.footer("Example:\n  linnet cert revoke certs/anna.crt && kill -HUP \"$(pidof linnet)\"");
}

void add_show(CLI::App& app, CertOptions& options) {
  CLI::App& show = add_action(app, options, "show", "Say what certificates hold");
  show.add_option("FILE", options.files, "Certificates, PEM or DER")->required();
  show.add_flag("--json", options.json, "Print one line of JSON, for scripts");
  show.footer("Example:\n  linnet cert show certs/*.crt");
}

}  // namespace

void add_cert_options(CLI::App& app, CertOptions& options) {
  app.require_subcommand(1);
  add_ca(app, options);
  add_server(app, options);
  add_client(app, options);
  add_psk(app, options);
  add_revoke(app, options);
  add_show(app, options);
  app.footer(
      "TLS for a private network, in two lines:\n"
      "  linnet cert ca\n"
      "  linnet cert server >> linnet.toml");
}

}  // namespace linnet::cli
