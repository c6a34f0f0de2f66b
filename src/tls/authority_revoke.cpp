#include <algorithm>
#include <openssl/bn.h>

#include "base/cat.hpp"
#include "tls/authority.hpp"
#include "tls/authority_files.hpp"
#include "tls/authority_folder.hpp"
#include "tls/authority_x509.hpp"

namespace linnet::tls {
namespace {

using x509::RevocationList;
using x509::Signer;

constexpr long kVersion2 = 1;
constexpr std::time_t kDay_s = 86'400;
constexpr std::time_t kBackdate_s = 3'600;

/// The list as it is, or a new one.
CertResult<RevocationList> open_list(const std::string& path, const Signer& signer) {
  if (!exists(path)) return RevocationList(X509_CRL_new());
  Secret text;
  std::string error = read_file(path, text);
  if (!error.empty()) return CertError{false, std::move(error)};
  RevocationList list = x509::list_from_pem(text.view());
  if (!list) return CertError{false, cat(path, " is no list: ", take_openssl_error())};
  if (X509_CRL_verify(list.get(), signer.key.get()) != 1) {
    (void)take_openssl_error();
    return CertError{false, cat(path, " was signed by another authority; move it away, and a new ",
                                "one is begun")};
  }
  return list;
}

/// An error, if the certificate is not one that this authority can revoke.
std::string stranger(const std::string& file, X509& certificate, const Signer& signer) {
  if (X509_cmp(&certificate, signer.certificate.get()) == 0) {
    return cat(file, " is the authority itself, which can't be revoked: make another one");
  }
  if (X509_verify(&certificate, signer.key.get()) != 1) {
    (void)take_openssl_error();
    return cat(file, " was not signed by this authority; --dir names the folder of another");
  }
  return {};
}

bool add_entry(X509_CRL& list, const X509& certificate, std::time_t now) {
  x509::Revocation entry(X509_REVOKED_new());
  const x509::Time time(ASN1_TIME_new());
  if (!entry || !set_time(time.get(), now) ||
      X509_REVOKED_set_revocationDate(entry.get(), time.get()) != 1) {
    return false;
  }
  x509::Integer serial(ASN1_INTEGER_dup(X509_get0_serialNumber(&certificate)));
  if (!serial || X509_REVOKED_set_serialNumber(entry.get(), serial.get()) != 1) return false;
  if (X509_CRL_add0_revoked(&list, entry.get()) != 1) return false;
  (void)entry.release();
  return true;
}

/// One more than the list had.
bool count_up(X509_CRL& list, std::string& number) {
  const x509::Integer old(
      static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(&list, NID_crl_number, nullptr, nullptr)));
  const x509::BigNumber value(old ? ASN1_INTEGER_to_BN(old.get(), nullptr) : BN_new());
  if (!value || BN_add_word(value.get(), 1) != 1) return false;
  const x509::Integer next(BN_to_ASN1_INTEGER(value.get(), nullptr));
  if (!next) return false;
  number = x509::to_hex(next.get());
  return X509_CRL_add1_ext_i2d(&list, NID_crl_number, next.get(), 0, X509V3_ADD_REPLACE) == 1;
}

bool add_authority_key(X509_CRL& list, const Signer& signer) {
  if (X509_CRL_get_ext_by_NID(&list, NID_authority_key_identifier, -1) >= 0) return true;
  X509V3_CTX context;
  X509V3_set_ctx(&context, signer.certificate.get(), nullptr, nullptr, &list, 0);
  const x509::Extension extension =
      x509::make_extension(context, NID_authority_key_identifier, "keyid");
  return extension && X509_CRL_add_ext(&list, extension.get(), -1) == 1;
}

bool sign(X509_CRL& list, const Signer& signer, std::time_t now, Revoked& result) {
  const x509::Time begin(ASN1_TIME_new());
  const x509::Time end(ASN1_TIME_new());
  const X509_NAME* issuer = X509_get_subject_name(signer.certificate.get());
  return set_time(begin.get(), now - kBackdate_s) && set_time(end.get(), result.next_update) &&
         X509_CRL_set_version(&list, kVersion2) == 1 &&
         X509_CRL_set_issuer_name(&list, issuer) == 1 &&
         X509_CRL_set1_lastUpdate(&list, begin.get()) == 1 &&
         X509_CRL_set1_nextUpdate(&list, end.get()) == 1 && count_up(list, result.number) &&
         add_authority_key(list, signer) && X509_CRL_sort(&list) == 1 &&
         X509_CRL_sign(&list, signer.key.get(), x509::digest_for(*signer.key)) > 0;
}

std::string add_files(X509_CRL& list, const Signer& signer, std::span<const std::string> files,
                      std::time_t now, std::vector<std::string>& already) {
  for (const std::string& file : files) {
    const CertResult<x509::Certificate> certificate = read_certificate(file);
    if (!certificate) return certificate.error().text;
    std::string error = stranger(file, **certificate, signer);
    if (!error.empty()) return error;
    X509_REVOKED* entry = nullptr;
    if (X509_CRL_get0_by_cert(&list, &entry, certificate->get()) == 1) {
      already.push_back(file);
    } else if (!add_entry(list, **certificate, now)) {
      return cat(file, " could not be revoked: ", take_openssl_error());
    }
  }
  return {};
}

}  // namespace

CertResult<Revoked> revoke(const Order& order, std::span<const std::string> files) {
  if (order.days < 0 || order.days > kAuthorityDaysMax) {
    return CertError{true, cat("--days ", order.days, " is not from 1 to ", kAuthorityDaysMax)};
  }
  const CertResult<Signer> signer = open_authority(order);
  if (!signer) return signer.error();
  Revoked result;
  result.list = path_in(order.directory, "ca.crl");
  result.next_update = to_time(X509_get0_notAfter(signer->certificate.get()));
  if (order.days > 0) {
    result.next_update = std::min(result.next_update, order.now + order.days * kDay_s);
  }
  FolderLock lock;
  std::string error = lock.take(order.directory);
  if (!error.empty()) return CertError{false, std::move(error)};
  const CertResult<RevocationList> list = open_list(result.list, *signer);
  if (!list) return list.error();
  if (!*list) return CertError{false, take_openssl_error()};
  error = add_files(**list, *signer, files, order.now, result.already);
  if (!error.empty()) return CertError{false, std::move(error)};
  if (!sign(**list, *signer, order.now, result)) {
    return CertError{false, cat("the list could not be signed: ", take_openssl_error())};
  }
  const int count = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list->get()));
  result.count = count > 0 ? static_cast<std::size_t>(count) : 0;
  const Secret text = x509::to_pem(**list);
  if (text.empty()) return CertError{false, take_openssl_error()};
  const NewFile file{result.list, text.view()};
  error = write_files({&file, 1}, true);
  if (!error.empty()) return CertError{false, std::move(error)};
  return result;
}

}  // namespace linnet::tls
