#include <array>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/cat.hpp"
#include "tls/authority.hpp"
#include "tls/authority_files.hpp"
#include "tls/authority_names.hpp"
#include "tls/authority_x509.hpp"

namespace linnet::tls {
namespace {

/// Empty if the kernel gives no random numbers.
Secret random_key() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, kPskBytes> bytes{};
  Secret text;
  if (RAND_priv_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return text;
  for (const unsigned char byte : bytes) {
    text.append(kDigits.substr(byte >> 4, 1));
    text.append(kDigits.substr(byte & 15, 1));
  }
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return text;
}

/// Copies the lines, all but that of the identity. Returns whether there was one.
bool copy_others(std::string_view lines, const std::string& identity, Secret& target) {
  const std::string own = identity + ':';
  bool found = false;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    if (line.starts_with(own)) {
      found = true;
      continue;
    }
    target.append(line);
    target.append("\n");
  }
  return found;
}

}  // namespace

CertResult<PskMade> add_psk(const std::string& file, const std::string& identity, bool replace) {
  std::string error = psk_identity_fault(identity);
  if (!error.empty()) return CertError{true, std::move(error)};
  error = make_folder(folder_of(file));
  FolderLock lock;
  if (error.empty()) error = lock.take(folder_of(file));
  Secret old;
  const bool existed = exists(file);
  if (error.empty() && existed) error = read_file(file, old);
  if (!error.empty()) return CertError{false, std::move(error)};
  Secret text;
  PskMade made;
  made.replaced = copy_others(old.view(), identity, text);
  if (made.replaced && !replace) {
    return CertError{false, cat(file, " has a key for ", identity,
                                " already; --force replaces it, and the old key is then void")};
  }
  made.key = random_key();
  if (made.key.empty()) {
    return CertError{false, cat("no key could be made: ", take_openssl_error())};
  }
  text.append(identity);
  text.append(":");
  text.append(made.key.view());
  text.append("\n");
  const NewFile written{file, text.view(), true};
  error = write_files({&written, 1}, existed);
  if (!error.empty()) return CertError{false, std::move(error)};
  return made;
}

}  // namespace linnet::tls
