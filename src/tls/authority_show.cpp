#include <openssl/ec.h>
#include <openssl/objects.h>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "tls/authority.hpp"
#include "tls/authority_files.hpp"
#include "tls/authority_folder.hpp"
#include "tls/authority_x509.hpp"

namespace linnet::tls {
namespace {

/// UTF-8, where a certificate of somebody else may hold anything.
std::string shown(std::string_view text) {
  return log::escaped_text(text);
}

std::string name_text(const X509_NAME* name) {
  const x509::Bio bio(BIO_new(BIO_s_mem()));
  // Letters beyond ASCII as they are, and not as \xNN.
  const unsigned long style = XN_FLAG_RFC2253 & ~(0UL + ASN1_STRFLGS_ESC_MSB);
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, style) < 0) return {};
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return size > 0 ? shown({bytes, static_cast<std::size_t>(size)}) : std::string();
}

std::string alternative_name(const GENERAL_NAME& name) {
  int type = 0;
  const void* value = GENERAL_NAME_get0_value(&name, &type);
  const auto text = [&] { return bytes_of(static_cast<const ASN1_STRING*>(value)); };
  switch (type) {
    case GEN_DNS: return cat("DNS:", shown(text()));
    case GEN_EMAIL: return cat("email:", shown(text()));
    case GEN_URI: return cat("URI:", shown(text()));
    case GEN_IPADD: {
      const std::string address = address_text(text());
      return cat("IP:", address.empty() ? "malformed" : address);
    }
    default: return "other";
  }
}

std::vector<std::string> alternative_names(const X509& certificate) {
  std::vector<std::string> result;
  const x509::Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    result.push_back(alternative_name(*sk_GENERAL_NAME_value(names.get(), i)));
  }
  return result;
}

std::string key_text(const X509& certificate) {
  EVP_PKEY* key = X509_get0_pubkey(&certificate);
  if (key == nullptr) return "unknown";
  const int id = EVP_PKEY_get_base_id(key);
  if (id == EVP_PKEY_RSA) return cat("RSA ", EVP_PKEY_get_bits(key));
  if (id == EVP_PKEY_EC) {
    std::array<char, 64> group{};
    std::size_t size = 0;
    if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) != 1) return "ECDSA";
    const char* usual = EC_curve_nid2nist(OBJ_sn2nid(group.data()));
    return cat("ECDSA ", usual != nullptr ? usual : group.data());
  }
  const char* name = EVP_PKEY_get0_type_name(key);
  return name != nullptr ? name : "unknown";
}

std::string fingerprint(const X509& certificate) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  std::string text;
  if (X509_digest(&certificate, EVP_sha256(), bytes.data(), &size) != 1) return text;
  for (unsigned int i = 0; i < size; ++i) {
    if (i > 0) text += ':';
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

CertificateSummary summary_of(X509& certificate) {
  CertificateSummary summary;
  summary.subject = name_text(X509_get_subject_name(&certificate));
  summary.issuer = name_text(X509_get_issuer_name(&certificate));
  summary.names = alternative_names(certificate);
  summary.serial = x509::to_hex(X509_get0_serialNumber(&certificate));
  summary.key = key_text(certificate);
  summary.fingerprint = fingerprint(certificate);
  if (X509_check_ca(&certificate) != 0) summary.uses.emplace_back("authority");
  if (X509_check_purpose(&certificate, X509_PURPOSE_SSL_SERVER, 0) == 1) {
    summary.uses.emplace_back("server");
  }
  if (X509_check_purpose(&certificate, X509_PURPOSE_SSL_CLIENT, 0) == 1) {
    summary.uses.emplace_back("client");
  }
  summary.not_before = to_time(X509_get0_notBefore(&certificate));
  summary.not_after = to_time(X509_get0_notAfter(&certificate));
  return summary;
}

}  // namespace

CertResult<std::vector<CertificateSummary>> summaries(const std::string& file) {
  Secret text;
  std::string error = read_file(file, text);
  if (!error.empty()) return CertError{false, std::move(error)};
  const std::vector<x509::Certificate> found = x509::certificates_from(text.view());
  if (found.empty()) {
    const bool key = text.view().find("PRIVATE KEY-----") != std::string_view::npos;
    std::string reason = take_openssl_error();
    if (key) reason = "it is a private key, and its certificate is another file";
    return CertError{false, cat(file, " holds no certificate: ", reason)};
  }
  std::vector<CertificateSummary> result;
  for (const x509::Certificate& certificate : found)
    result.push_back(summary_of(*certificate));
  return result;
}

}  // namespace linnet::tls
