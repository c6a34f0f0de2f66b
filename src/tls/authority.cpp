#include "tls/authority.hpp"

#include <algorithm>

#include "base/cat.hpp"
#include "tls/authority_files.hpp"
#include "tls/authority_folder.hpp"
#include "tls/authority_names.hpp"
#include "tls/authority_x509.hpp"

namespace linnet::tls {
namespace {

using x509::Content;
using x509::Purpose;
using x509::Signer;

constexpr std::time_t kDay_s = 86'400;
constexpr std::time_t kBackdate_s = 3'600;  // for clients whose clock is late

/// The first and the last second; notAfter is one that still counts.
void set_days(Content& content, const Order& order) {
  content.not_before = order.now - kBackdate_s;
  content.not_after = content.not_before + order.days * kDay_s - 1;
}

CertError usage(std::string text) {
  return {true, std::move(text)};
}

std::string days_fault(const Order& order, int days_max) {
  if (order.days >= 1 && order.days <= days_max) return {};
  return cat("--days ", order.days, " is not from 1 to ", days_max);
}

/// Null if there is none, or none that could be revoked.
CertResult<x509::Certificate> certificate_before(const std::string& path) {
  if (!exists(path)) return x509::Certificate();
  Secret text;
  std::string error = read_file(path, text);
  if (!error.empty()) return CertError{false, std::move(error)};
  std::vector<x509::Certificate> found = x509::certificates_from(text.view());
  if (!found.empty()) return std::move(found.front());
  (void)take_openssl_error();
  return x509::Certificate();
}

struct PairText {
  Secret key;
  Secret certificate;
  Secret kept;
};

std::string write_pair(const Issued& issued, const PairText& text, bool replace) {
  std::vector<NewFile> files;
  if (!issued.kept.empty()) files.push_back({issued.kept, text.kept.view()});
  files.push_back({issued.key, text.key.view(), true});
  files.push_back({issued.certificate, text.certificate.view()});
  return write_files(files, replace);
}

/// Makes and writes the pair. `signer` is null for an authority's own.
CertResult<Issued> issue(const Order& order, const Content& content, const std::string& basename,
                         const Signer* signer) {
  FolderLock lock;
  std::string error = lock.take(order.directory);
  if (!error.empty()) return CertError{false, std::move(error)};
  Issued issued;
  issued.certificate = path_in(order.directory, basename + ".crt");
  issued.key = path_in(order.directory, basename + ".key");
  issued.not_after = content.not_after;
  // Before a key is made, which may take a while; write_files() looks again.
  for (const std::string& path : {issued.key, issued.certificate}) {
    if (!order.replace && exists(path)) return CertError{false, exists_text(path)};
  }
  CertResult<x509::Certificate> before = x509::Certificate();
  // A former authority is not kept: a broker that trusts the whole folder would go on believing it.
  if (signer != nullptr) before = certificate_before(issued.certificate);
  if (!before) return before.error();
  const x509::Key key = x509::make_key(order.key_kind);
  if (!key) return CertError{false, cat("no key could be made: ", take_openssl_error())};
  const x509::Certificate certificate = x509::make_certificate(content, *key, signer);
  if (!certificate) {
    return CertError{false, cat("the certificate could not be signed: ", take_openssl_error())};
  }
  PairText text{x509::to_pem(*key), x509::to_pem(*certificate), {}};
  if (*before) {
    text.kept = x509::to_pem(**before);
    issued.kept =
        path_in(order.directory,
                cat(basename, '-', x509::to_hex(X509_get0_serialNumber(before->get())), ".crt"));
  }
  if (text.key.empty() || text.certificate.empty() || (*before && text.kept.empty())) {
    return CertError{false, cat("the key could not be written: ", take_openssl_error())};
  }
  error = write_pair(issued, text, order.replace);
  if (!error.empty()) return CertError{false, std::move(error)};
  return issued;
}

CertResult<Issued> issue_signed(const Order& order, Content content, const std::string& basename) {
  set_days(content, order);
  const CertResult<Signer> signer = open_authority(order);
  if (!signer) return signer.error();
  const std::time_t end = to_time(X509_get0_notAfter(signer->certificate.get()));
  const std::time_t asked = content.not_after;
  content.not_after = std::min(asked, end);
  CertResult<Issued> issued = issue(order, content, basename, &*signer);
  if (issued) issued->cut_short = end < asked;
  return issued;
}

}  // namespace

CertResult<Issued> make_authority(const Order& order, const std::string& name) {
  std::string fault = common_name_fault(name);
  if (fault.empty()) fault = days_fault(order, kAuthorityDaysMax);
  if (!fault.empty()) return usage(std::move(fault));
  std::string error = clock_fault(order.now);
  if (error.empty() && !order.replace && exists(path_in(order.directory, "ca.key"))) {
    error = cat(path_in(order.directory, "ca.key"),
                " exists: there is an authority already. --force replaces it; all that it has "
                "signed is then void");
  }
  if (error.empty()) error = make_folder(order.directory);
  if (!error.empty()) return CertError{false, std::move(error)};
  Content content;
  content.purpose = Purpose::authority;
  content.common_name = name;
  set_days(content, order);
  return issue(order, content, "ca", nullptr);
}

CertResult<Issued> make_server(const Order& order, const std::vector<std::string>& names,
                               const std::string& basename) {
  std::string fault = file_name_fault(basename);
  if (fault.empty()) fault = days_fault(order, kServerDays);
  if (names.empty()) fault = "a server needs a name";
  if (names.size() > kServerNamesMax)
    fault = cat("there are more than ", kServerNamesMax, " names");
  Content content;
  content.purpose = Purpose::server;
  for (const std::string& name : names) {
    if (fault.empty()) fault = server_name_fault(name);
    if (std::find(content.names.begin(), content.names.end(), name) == content.names.end()) {
      content.names.push_back(name);
    }
  }
  if (!fault.empty()) return usage(std::move(fault));
  // Clients look at the names alone; this one is for people.
  const auto shown = std::find_if(names.begin(), names.end(), [](const std::string& name) {
    return name.size() <= kCommonNameMax;
  });
  content.common_name = shown != names.end() ? *shown : basename;
  return issue_signed(order, std::move(content), basename);
}

CertResult<Issued> make_client(const Order& order, const std::string& name) {
  std::string fault = file_name_fault(name);
  if (fault.empty()) fault = days_fault(order, kAuthorityDaysMax);
  if (!fault.empty()) return usage(std::move(fault));
  Content content;
  content.purpose = Purpose::client;
  content.common_name = name;
  return issue_signed(order, std::move(content), name);
}

}  // namespace linnet::tls
