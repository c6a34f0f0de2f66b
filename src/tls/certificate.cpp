#include "tls/certificate.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "base/cat.hpp"
#include "tls/peer_name.hpp"
#include "tls/read_secret.hpp"

namespace linnet::tls {

namespace {

constexpr std::size_t kCertificatesMax = 10'000;  // of one file; a system's authorities are 150

// Never asks at a terminal; `user` remembers that a pass phrase would be needed.
int no_pass_phrase(char*, int, int, void* user) {
  *static_cast<bool*>(user) = true;
  return -1;
}

KeyPtr parse_key(std::string_view text, const std::string& file, std::string& error) {
  if (text.find("PRIVATE KEY-----") == text.npos) {
    error = cat(file, ": has no private key in PEM");
    return nullptr;
  }
  ERR_clear_error();
  const BioPtr bio = read_bio(text);
  bool is_encrypted = false;
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, &is_encrypted));
  if (key != nullptr) return key;
  if (is_encrypted) {
    error =
        cat(file, ": the key has a pass phrase, which nobody could type when the broker starts;",
            " remove it with: openssl pkey -in ", file, " -out KEY");
  } else {
    error = cat(file, ": the private key is broken: ", take_openssl_error());
  }
  ERR_clear_error();
  return nullptr;
}

bool is_exposed(const std::string& file) {
  struct stat facts {};
  return ::stat(file.c_str(), &facts) == 0 && (facts.st_mode & S_IROTH) != 0;
}

// The leaf is the file's first certificate, and the rest its chain.
bool take_chain(std::vector<X509Ptr> certificates, Certificate& result) {
  result.leaf = std::move(certificates.front());
  result.chain.reset(sk_X509_new_null());
  for (std::size_t i = 1; i < certificates.size(); ++i) {
    if (result.chain == nullptr || sk_X509_push(result.chain.get(), certificates[i].get()) <= 0)
      return false;
    static_cast<void>(certificates[i].release());  // the stack has it
  }
  return result.chain != nullptr;
}

bool matches(const X509& certificate, const EVP_PKEY& key) {
  const bool same = X509_check_private_key(&certificate, &key) == 1;
  ERR_clear_error();
  return same;
}

std::string mismatch_text(const std::vector<X509Ptr>& certificates, const EVP_PKEY& key,
                          const CertificateFiles& files) {
  for (std::size_t i = 1; i < certificates.size(); ++i) {
    if (matches(*certificates[i], key))
      return cat(files.file, ": the certificate of ", files.key_file, " must come first, is ",
                 i + 1, " of ", certificates.size());
  }
  return cat(files.file, " and ", files.key_file, ": the key does not belong to the certificate");
}

}  // namespace

std::string validity_error(const Validity& validity, std::time_t now) {
  if (validity.not_after != 0 && now >= validity.not_after)
    return cat(validity.what, " has expired on ", date_text(validity.not_after), "; renew it");
  if (now < validity.not_before && now >= kClockSetSince)
    return cat(validity.what, " is not valid before ", date_text(validity.not_before),
               "; today is ", date_text(now));
  return {};
}

std::string validity_warning(const Validity& validity, std::time_t now) {
  if (auto error = validity_error(validity, now); !error.empty()) return error;
  if (now < validity.not_before)
    return cat(validity.what, " is not valid before ", date_text(validity.not_before),
               ", but the clock stands at ", date_text(now), " and seems not to be set");
  if (validity.not_after == 0 || validity.not_after - now >= kWarnAhead_s) return {};
  return cat(validity.what, " ends on ", date_text(validity.not_after), ", in ",
             (validity.not_after - now) / (24 * 3600), " days; renew it and reload");
}

bool Certificate::is_for(std::string_view host) const {
  return X509_check_host(leaf.get(), host.data(), host.size(), 0, nullptr) == 1;
}

bool parse_certificates(std::string_view text, std::vector<X509Ptr>& certificates,
                        std::string& reason) {
  ERR_clear_error();
  const BioPtr bio = read_bio(text);
  while (certificates.size() < kCertificatesMax) {
    X509Ptr next(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (next == nullptr) break;
    certificates.push_back(std::move(next));
  }
  const bool at_end = certificates.size() < kCertificatesMax &&
                      ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!at_end) reason = take_openssl_error();
  ERR_clear_error();
  return at_end;
}

std::optional<Certificate> load_certificate(const CertificateFiles& files, std::time_t now,
                                            std::string& error) {
  const auto text = read_secret(files.file, error);
  if (!text) return std::nullopt;
  std::vector<X509Ptr> certificates;
  std::string reason;
  if (!parse_certificates(text->view(), certificates, reason)) {
    error = cat(files.file, ": certificate ", certificates.size() + 1, " is broken: ", reason);
    return std::nullopt;
  }
  if (certificates.empty()) {
    error = cat(files.file, ": has no certificate in PEM");
    return std::nullopt;
  }
  Certificate result;
  const auto& key_file = files.key_file.empty() ? files.file : files.key_file;
  const auto key_text = read_secret(key_file, error);
  if (!key_text) return std::nullopt;
  result.key = parse_key(key_text->view(), key_file, error);
  if (result.key == nullptr) return std::nullopt;
  if (!matches(*certificates.front(), *result.key)) {
    error = mismatch_text(certificates, *result.key, {files.file, key_file});
    return std::nullopt;
  }
  if (!take_chain(std::move(certificates), result)) {
    error = cat(files.file, ": no memory for the chain");
    return std::nullopt;
  }
  result.file = files.file;
  result.name = certificate_name(*result.leaf);
  result.key_is_exposed = is_exposed(key_file);
  result.validity = {cat(files.file, ": the certificate of ", result.name),
                     to_time(X509_get0_notBefore(result.leaf.get())),
                     to_time(X509_get0_notAfter(result.leaf.get()))};
  error = validity_error(result.validity, now);
  if (!error.empty()) return std::nullopt;
  return result;
}

}  // namespace linnet::tls
