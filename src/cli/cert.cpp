#include <ctime>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "cli/cert_print.hpp"
#include "cli/options.hpp"
#include "tls/authority.hpp"

namespace linnet::cli {
namespace {

int say(const tls::CertError& error) {
  print_error("linnet: " + log::escaped_text(error.text));
  return error.wrong_usage ? kWrongUsage : kFailed;
}

tls::Order order_from(const CertOptions& options, int usual_days) {
  tls::Order order;
  order.directory = options.dir;
  order.days = options.days != 0 ? options.days : usual_days;
  order.now = std::time(nullptr);
  order.key_kind = options.rsa ? tls::KeyKind::rsa_3072 : tls::KeyKind::ecdsa_p256;
  order.replace = options.force;
  return order;
}

int make_authority(const CertOptions& options) {
  const std::string name = options.name.empty() ? tls::default_authority_name() : options.name;
  const auto issued = tls::make_authority(order_from(options, tls::kAuthorityDays), name);
  if (!issued) return say(issued.error());
  print_authority(options, *issued);
  return kOk;
}

int make_server(const CertOptions& options) {
  const std::vector<std::string> names =
      options.names.empty() ? tls::names_of_this_machine() : options.names;
  const auto issued = tls::make_server(order_from(options, tls::kServerDays), names, options.out);
  if (!issued) return say(issued.error());
  print_server(options, names, *issued);
  return kOk;
}

int make_client(const CertOptions& options) {
  const auto issued = tls::make_client(order_from(options, tls::kClientDays), options.name);
  if (!issued) return say(issued.error());
  print_client(options, *issued);
  return kOk;
}

int make_psk(const CertOptions& options) {
  const auto made = tls::add_psk(options.psk_file, options.name, options.force);
  if (!made) return say(made.error());
  print_psk(options, *made);
  return kOk;
}

int revoke(const CertOptions& options) {
  const auto revoked = tls::revoke(order_from(options, 0), options.files);
  if (!revoked) return say(revoked.error());
  print_revoked(*revoked);
  return kOk;
}

/// Goes on after a file that can't be read, and fails in the end.
int show(const CertOptions& options) {
  std::vector<ShownFile> shown;
  std::string error;
  for (const std::string& file : options.files) {
    auto found = tls::summaries(file);
    if (found) {
      shown.push_back({file, std::move(*found)});
    } else {
      error += (error.empty() ? "" : "; ") + found.error().text;
    }
  }
  print_certificates(options, shown, error);
  return error.empty() ? kOk : kFailed;
}

}  // namespace

int cert(const CertOptions& options) {
  if (options.action == "ca") return make_authority(options);
  if (options.action == "server") return make_server(options);
  if (options.action == "client") return make_client(options);
  if (options.action == "psk") return make_psk(options);
  if (options.action == "revoke") return revoke(options);
  return show(options);
}

}  // namespace linnet::cli
