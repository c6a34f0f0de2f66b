#include "tls/peer_name.hpp"

#include <algorithm>
#include <openssl/x509v3.h>
#include <string_view>

#include "base/utf8.hpp"
#include "tls/openssl_types.hpp"

namespace linnet::tls {

namespace {

std::optional<std::string> usable(std::string name) {
  const auto is_control = [](char character) {
    const auto byte = static_cast<unsigned char>(character);
    return byte < 0x20 || byte == 0x7f;
  };
  if (name.empty() || name.size() > kPeerNameBytesMax || !is_mqtt_utf8(name)) return std::nullopt;
  if (std::any_of(name.begin(), name.end(), is_control)) return std::nullopt;
  return name;
}

std::string common_name(const X509& certificate) {
  const X509_NAME* subject = X509_get_subject_name(&certificate);
  int last = -1;
  for (int i = -1; (i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0;)
    last = i;
  if (last < 0) return {};
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last));
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, text);
  if (size < 0) return {};
  std::string name(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return name;
}

std::string alternative_name(const GENERAL_NAMES* names, int type) {
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    int found = -1;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &found);
    if (found != type) continue;
    const auto bytes = bytes_of(static_cast<const ASN1_STRING*>(value));
    return type == GEN_IPADD ? address_text(bytes) : std::string(bytes);
  }
  return {};
}

GeneralNamesPtr alternative_names(const X509& certificate) {
  return GeneralNamesPtr(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
}

std::string alternative_name(const X509& certificate) {
  const GeneralNamesPtr names = alternative_names(certificate);
  for (const int type : {GEN_EMAIL, GEN_DNS, GEN_URI, GEN_IPADD}) {
    if (auto name = alternative_name(names.get(), type); !name.empty()) return name;
  }
  return {};
}

}  // namespace

std::optional<std::string> peer_name(const X509& certificate, CertificateName kind) {
  switch (kind) {
    case CertificateName::cn: return usable(common_name(certificate));
    case CertificateName::subject: return usable(subject_text(X509_get_subject_name(&certificate)));
    case CertificateName::san: return usable(alternative_name(certificate));
    case CertificateName::none: break;
  }
  return std::string();
}

const char* peer_name_text(CertificateName kind) noexcept {
  switch (kind) {
    case CertificateName::cn: return "common name";
    case CertificateName::subject: return "subject";
    case CertificateName::san: return "subject alternative name";
    case CertificateName::none: break;
  }
  return "name";
}

std::string certificate_name(const X509& certificate) {
  const GeneralNamesPtr names = alternative_names(certificate);
  for (const int type : {GEN_DNS, GEN_IPADD, GEN_EMAIL, GEN_URI}) {
    if (auto name = alternative_name(names.get(), type); !name.empty()) return name;
  }
  return subject_text(X509_get_subject_name(&certificate));
}

}  // namespace linnet::tls
