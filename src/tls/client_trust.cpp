#include "tls/client_trust.hpp"

#include <algorithm>
#include <filesystem>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/cat.hpp"
#include "tls/peer_name.hpp"
#include "tls/read_secret.hpp"

namespace linnet::tls {

namespace {

// More would not fit well into the handshake; then clients choose without.
constexpr int kNamesMax = 64;
constexpr std::size_t kListsMax = 1'000;

bool add_authority(ClientTrust& trust, X509& certificate, const std::string& file) {
  // One that is there already is no error.
  if (X509_STORE_add_cert(trust.store.get(), &certificate) != 1) return false;
  trust.validities.push_back({cat(file, ": the authority ", certificate_name(certificate)),
                              to_time(X509_get0_notBefore(&certificate)),
                              to_time(X509_get0_notAfter(&certificate))});
  X509_NAME* name = X509_NAME_dup(X509_get_subject_name(&certificate));
  if (name == nullptr) return false;
  if (sk_X509_NAME_push(trust.names.get(), name) > 0) return true;
  X509_NAME_free(name);
  return false;
}

/// A certificate that stands in a file by itself is trusted for itself. A folder may hold others
/// by accident: those of clients, or of the broker.
enum class Only : std::uint8_t { whatever, authorities };

bool add_authorities(ClientTrust& trust, const std::string& file, Only only, std::string& error) {
  const auto text = read_secret(file, error);
  if (!text) return false;
  std::vector<X509Ptr> certificates;
  std::string reason;
  if (!parse_certificates(text->view(), certificates, reason)) {
    error = cat(file, ": certificate ", certificates.size() + 1, " is broken: ", reason);
    return false;
  }
  if (certificates.empty()) {
    error = cat(file, ": has no certificate in PEM");
    return false;
  }
  for (const X509Ptr& certificate : certificates) {
    if (only == Only::authorities && X509_check_ca(certificate.get()) == 0) continue;
    if (!add_authority(trust, *certificate, file)) {
      error = cat(file, ": ", take_openssl_error());
      return false;
    }
  }
  return true;
}

bool add_folder(ClientTrust& trust, const std::string& folder, std::string& error) {
  std::error_code failure;
  std::vector<std::string> files;
  for (std::filesystem::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const auto kind = entry->path().extension();
    if (kind == ".pem" || kind == ".crt" || kind == ".cer") files.push_back(entry->path().string());
  }
  if (failure) {
    error = cat(folder, ": cannot be read: ", failure.message());
    return false;
  }
  if (files.empty()) {
    error = cat(folder, ": the folder has no *.pem, *.crt or *.cer file");
    return false;
  }
  std::sort(files.begin(), files.end());
  return std::all_of(files.begin(), files.end(), [&](const std::string& file) {
    return add_authorities(trust, file, Only::authorities, error);
  });
}

bool add_lists(ClientTrust& trust, const std::string& file, std::string& error) {
  const auto text = read_secret(file, error);
  if (!text) return false;
  ERR_clear_error();
  const BioPtr bio = read_bio(text->view());
  std::size_t count = 0;
  for (; count < kListsMax; ++count) {
    const X509CrlPtr list(PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr));
    if (list == nullptr) break;
    if (X509_STORE_add_crl(trust.store.get(), list.get()) != 1) break;
    trust.validities.push_back(
        {cat(file, ": the revocation list of ", subject_text(X509_CRL_get_issuer(list.get()))),
         to_time(X509_CRL_get0_lastUpdate(list.get())),
         to_time(X509_CRL_get0_nextUpdate(list.get()))});
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (at_end && count > 0) {
    ERR_clear_error();
    X509_STORE_set_flags(trust.store.get(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return true;
  }
  error = at_end ? cat(file, ": has no revocation list (X509 CRL) in PEM")
                 : cat(file, ": revocation list ", count + 1, " is broken: ", take_openssl_error());
  ERR_clear_error();
  return false;
}

/// Each certificate's authority is here, too, up to one that has signed itself.
bool is_whole(X509_STORE& store) {
  const X509StackPtr all(X509_STORE_get1_all_certs(&store));
  const X509StoreContextPtr look(X509_STORE_CTX_new());
  if (all == nullptr || look == nullptr ||
      X509_STORE_CTX_init(look.get(), &store, nullptr, nullptr) != 1)
    return false;
  for (int i = 0; i < sk_X509_num(all.get()); ++i) {
    X509* issuer = nullptr;
    const int found = X509_STORE_CTX_get1_issuer(&issuer, look.get(), sk_X509_value(all.get(), i));
    X509_free(issuer);
    if (found != 1) return false;
  }
  return true;
}

}  // namespace

std::optional<ClientTrust> load_client_trust(const std::string& authorities,
                                             const std::string& lists, std::string& error) {
  ClientTrust trust;
  trust.store.reset(X509_STORE_new());
  trust.names.reset(sk_X509_NAME_new_null());
  if (trust.store == nullptr || trust.names == nullptr) {
    error = cat(authorities, ": no memory");
    return std::nullopt;
  }
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(authorities, ignored);
  if (is_folder ? !add_folder(trust, authorities, error)
                : !add_authorities(trust, authorities, Only::whatever, error))
    return std::nullopt;
  if (trust.validities.empty()) {
    error = cat(authorities, ": none of its certificates is an authority's (CA:TRUE)");
    return std::nullopt;
  }
  if (!lists.empty() && !add_lists(trust, lists, error)) return std::nullopt;
  // With the flag a chain ends at the first certificate that is trusted, before a list of those
  // above could revoke it.
  if (lists.empty() || !is_whole(*trust.store))
    X509_STORE_set_flags(trust.store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  ERR_clear_error();
  if (sk_X509_NAME_num(trust.names.get()) > kNamesMax) trust.names.reset(sk_X509_NAME_new_null());
  return trust;
}

}  // namespace linnet::tls
