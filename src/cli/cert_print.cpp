#include "cli/cert_print.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <unistd.h>

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "base/utc_text.hpp"

namespace linnet::cli {
namespace {

namespace json = boost::json;

/// A word as a shell reads it.
std::string shell_word(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return std::string_view(
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
               "_-./:,@%+=")
               .find(c) != std::string_view::npos;
  });
  if (plain) return word;
  std::string quoted = "'";
  for (const char c : word)
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + '\'';
}

/// A path for a configuration, which may be read from another folder.
std::string toml_path(const std::string& path) {
  std::error_code failed;
  const auto whole = std::filesystem::absolute(path, failed);
  // The escapes of JSON are those of TOML.
  return cat('"', log::escaped_json(failed ? path : whole.lexically_normal().string()), '"');
}

std::string until_text(const tls::Issued& issued) {
  return cat("valid until ", tls::time_text(issued.not_after),
             issued.cut_short ? ", when its authority ends" : "");
}

/// The option, if it is needed.
std::string dir_option(const CertOptions& options) {
  return options.dir == CertOptions{}.dir ? "" : " --dir " + shell_word(options.dir);
}

std::string in_dir(const CertOptions& options, const char* name) {
  return (std::filesystem::path(options.dir) / name).string();
}

/// What was replaced, if something was; `margin` begins its lines.
std::string kept_text(const CertOptions& options, const tls::Issued& issued,
                      std::string_view margin) {
  if (issued.kept.empty()) return {};
  return cat(margin, "the one before is kept as ", issued.kept, "; if its key may be in wrong ",
             "hands:\n", margin, "  linnet cert revoke ", shell_word(issued.kept),
             dir_option(options), '\n');
}

std::string authority_path(const CertOptions& options) {
  return shell_word(in_dir(options, "ca.crt"));
}

std::string joined(const std::vector<std::string>& texts) {
  std::string result;
  for (const std::string& text : texts)
    result += (result.empty() ? "" : ", ") + text;
  return result.empty() ? "none" : result;
}

json::array to_json(const std::vector<std::string>& texts) {
  json::array result;
  for (const std::string& text : texts)
    result.emplace_back(text);
  return result;
}

json::object to_json(const std::string& file, const tls::CertificateSummary& certificate) {
  return {{"file", file},
          {"subject", certificate.subject},
          {"issuer", certificate.issuer},
          {"names", to_json(certificate.names)},
          {"uses", to_json(certificate.uses)},
          {"not_before", utc_text(certificate.not_before)},
          {"not_after", utc_text(certificate.not_after)},
          {"key", certificate.key},
          {"serial", certificate.serial},
          {"sha256", certificate.fingerprint}};
}

std::string validity(const tls::CertificateSummary& certificate) {
  const std::time_t now = std::time(nullptr);
  std::string_view note;
  if (now > certificate.not_after) note = "  EXPIRED";
  if (now < certificate.not_before) note = "  NOT YET VALID";
  return cat(tls::time_text(certificate.not_before), " to ", tls::time_text(certificate.not_after),
             note);
}

void print_certificate(const std::string& file, const tls::CertificateSummary& certificate) {
  print_line(cat(log::escaped_text(file), "\n  subject      ", certificate.subject,
                 "\n  names        ", joined(certificate.names), "\n  issuer       ",
                 certificate.issuer, "\n  valid        ", validity(certificate),
                 "\n  use          ", joined(certificate.uses), "\n  key          ",
                 certificate.key, "\n  serial       ", certificate.serial, "\n  SHA-256      ",
                 certificate.fingerprint));
}

}  // namespace

void print_authority(const CertOptions& options, const tls::Issued& issued) {
  print_line(cat("made ", issued.certificate, " and ", issued.key, ", ", until_text(issued), '\n',
                 "Whoever has ca.key can make certificates that your broker and clients believe: "
                 "keep it to\nyourself, best not on the broker's machine.\n",
                 "Next, a certificate for the broker, and one for each client:\n",
                 "  linnet cert server", dir_option(options), "\n  linnet cert client NAME",
                 dir_option(options), "\nClients know the broker by ca.crt; give it to them:\n",
                 "  mosquitto_pub --cafile ", authority_path(options),
                 " -h HOST -p 8883 -t hello -m world ..."));
}

void print_server(const CertOptions& options, const std::vector<std::string>& names,
                  const tls::Issued& issued) {
  const auto plain = std::find_if(names.begin(), names.end(),
                                  [](const std::string& name) { return !name.starts_with("*"); });
  print_line(cat(
      "# made ", issued.certificate, " and ", issued.key, ", ", until_text(issued), "\n# for ",
      joined(names), '\n', kept_text(options, issued, "# "),
      "# The broker must be able to read the files.",
      "\n[[listener]]\nurl = \"mqtts://*:8883\"\ntls.cert = ", toml_path(issued.certificate),
      "\ntls.key = ", toml_path(issued.key),
      "\n# Clients have to show a certificate, which linnet cert client NAME makes. To "
      "let anybody\n# connect, write allow_anonymous = true in place of this line:\n",
      "tls.client_ca = ", toml_path(in_dir(options, "ca.crt")),
      "\n# They connect so:\n#   mosquitto_pub --cafile ", authority_path(options), " --cert ",
      shell_word(in_dir(options, "NAME.crt")), " --key ", shell_word(in_dir(options, "NAME.key")),
      " -h ", plain != names.end() ? *plain : "HOST", " -p 8883 -t hello -m world"));
}

void print_client(const CertOptions& options, const tls::Issued& issued) {
  print_line(cat(
      "made ", issued.certificate, " and ", issued.key, ", ", until_text(issued), '\n',
      kept_text(options, issued, ""), "A listener that asks for it has:\n  tls.client_ca = ",
      toml_path(in_dir(options, "ca.crt")), "\nThe client connects so:\n  mosquitto_pub --cafile ",
      authority_path(options), " --cert ", shell_word(issued.certificate), " --key ",
      shell_word(issued.key), " -h HOST -p 8883 -t hello -m world"));
}

void print_psk(const CertOptions& options, const tls::PskMade& made) {
  // Not by print_line(), which would leave a copy of the key in memory.
  tls::Secret text;
  text.append(cat(made.replaced ? "replaced the key of " : "added ", options.name, " in ",
                  options.psk_file, "\nThe client's key, which is not shown again:\n  "));
  text.append(made.key.view());
  text.append(cat("\nThe listener has:\n  tls.psk_file = ", toml_path(options.psk_file),
                  "\nThe client connects so:\n  mosquitto_pub --psk-identity ",
                  shell_word(options.name), " --psk KEY -h HOST -p 8883 -t hello -m world\n"));
  std::string_view rest = text.view();
  while (!rest.empty()) {
    const ssize_t count = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (count <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
}

void print_revoked(const tls::Revoked& revoked) {
  for (const std::string& file : revoked.already)
    print_line(cat(file, " was revoked before"));
  print_line(cat("made ", revoked.list, " number ", revoked.number, " with ", revoked.count,
                 revoked.count == 1 ? " certificate" : " certificates", ", valid until ",
                 tls::time_text(revoked.next_update),
                 "\nThe listener has:\n  tls.crl = ", toml_path(revoked.list),
                 "\nand reads it again at SIGHUP (systemctl reload linnet)."));
}

void print_certificates(const CertOptions& options, const std::vector<ShownFile>& files,
                        const std::string& error) {
  json::array list;
  for (const ShownFile& file : files) {
    for (const tls::CertificateSummary& certificate : file.certificates) {
      if (options.json) {
        list.push_back(to_json(log::escaped_text(file.file), certificate));
      } else {
        print_certificate(file.file, certificate);
      }
    }
  }
  if (options.json) {
    json::object line{{"ok", error.empty()}};
    if (!error.empty()) line["error"] = log::escaped_text(error);
    line["certificates"] = std::move(list);
    print_line(std::string(json::serialize(line)));
  } else if (!error.empty()) {
    print_error("linnet: " + log::escaped_text(error));
  }
}

}  // namespace linnet::cli
