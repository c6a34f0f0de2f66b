#include "tls/authority_folder.hpp"

#include <array>
#include <filesystem>

#include "base/cat.hpp"
#include "tls/authority_files.hpp"

namespace linnet::tls {
namespace {

constexpr std::time_t kClockMin = 1'735'689'600;  // 2025-01-01

std::string signer_fault(const std::string& path, const x509::Signer& signer, std::time_t now) {
  X509* certificate = signer.certificate.get();
  if (X509_check_private_key(certificate, signer.key.get()) != 1) {
    (void)take_openssl_error();
    return cat(path, " and the ca.key beside it do not belong together");
  }
  if (X509_check_ca(certificate) == 0 ||
      (X509_get_key_usage(certificate) & std::uint32_t{KU_KEY_CERT_SIGN}) == 0) {
    return cat(path, " is not the certificate of an authority");
  }
  const std::time_t begin = to_time(X509_get0_notBefore(certificate));
  const std::time_t end = to_time(X509_get0_notAfter(certificate));
  if (now < begin) {
    return cat(path, " is valid from ", time_text(begin), " only; is this machine's clock right?");
  }
  if (now > end) {
    return cat(path, " has expired on ", time_text(end),
               "; make a new authority (`linnet cert ca`) and give its ca.crt to all clients");
  }
  return {};
}

}  // namespace

std::string path_in(const std::string& directory, const std::string& name) {
  return (std::filesystem::path(directory) / name).string();
}

std::string time_text(std::time_t time) {
  std::tm parts{};
  std::array<char, 40> text{};
  ::gmtime_r(&time, &parts);
  const std::size_t size = std::strftime(text.data(), text.size(), "%F %T UTC", &parts);
  return {text.data(), size};
}

std::string clock_fault(std::time_t now) {
  if (now >= kClockMin) return {};
  return cat("this machine's clock says ", time_text(now),
             ", and a certificate of that time is of no use; set the clock first");
}

CertResult<x509::Certificate> read_certificate(const std::string& path) {
  Secret text;
  std::string error = read_file(path, text);
  if (!error.empty()) return CertError{false, std::move(error)};
  std::vector<x509::Certificate> found = x509::certificates_from(text.view());
  if (!found.empty()) return std::move(found.front());
  return CertError{false, cat(path, " holds no certificate: ", take_openssl_error())};
}

CertResult<x509::Signer> open_authority(const Order& order) {
  if (std::string error = clock_fault(order.now); !error.empty()) return CertError{false, error};
  const std::string certificate_path = path_in(order.directory, "ca.crt");
  const std::string key_path = path_in(order.directory, "ca.key");
  if (!exists(certificate_path)) {
    return CertError{false, cat("there is no authority in ", order.directory, " (no ca.crt); ",
                                "`linnet cert ca` makes one, --dir names another folder")};
  }
  CertResult<x509::Certificate> certificate = read_certificate(certificate_path);
  if (!certificate) return certificate.error();
  Secret text;
  std::string error = read_file(key_path, text);
  if (!error.empty()) return CertError{false, std::move(error)};
  x509::Signer signer{std::move(*certificate), x509::key_from_pem(text.view())};
  if (!signer.key) {
    return CertError{false, cat(key_path, " holds no key that can be read: ", take_openssl_error(),
                                "; it has to be PEM without a passphrase")};
  }
  error = signer_fault(certificate_path, signer, order.now);
  if (!error.empty()) return CertError{false, std::move(error)};
  return signer;
}

}  // namespace linnet::tls
