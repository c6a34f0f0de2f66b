#include "tls/openssl_types.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>

#include "base/cat.hpp"

namespace linnet::tls {

BioPtr read_bio(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string take_openssl_error() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "OpenSSL gives no reason";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? std::string(reason) : cat("OpenSSL's error ", code);
}

std::time_t to_time(const ASN1_TIME* time) noexcept {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return ::timegm(&parts);
}

bool set_time(ASN1_TIME* target, std::time_t time) noexcept {
  std::tm parts{};
  char text[32];
  if (target == nullptr || ::gmtime_r(&time, &parts) == nullptr) return false;
  if (std::strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &parts) == 0) return false;
  return ASN1_TIME_set_string_X509(target, text) == 1;
}

std::string date_text(std::time_t time) {
  std::tm parts{};
  char text[32];
  if (::gmtime_r(&time, &parts) == nullptr) return "an impossible date";
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d", &parts)};
}

std::string_view bytes_of(const ASN1_STRING* text) noexcept {
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string address_text(std::string_view bytes) {
  char text[INET6_ADDRSTRLEN];
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  if (bytes.size() != 4 && bytes.size() != 16) return {};
  const char* written = ::inet_ntop(family, bytes.data(), text, sizeof text);
  return written != nullptr ? std::string(written) : std::string();
}

std::string subject_text(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

}  // namespace linnet::tls
