// Who is at the other end of a link, as far as its transport can tell: by a certificate, a
// pre-shared key, or the word of a trusted proxy. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace linnet::net {

/// What a client's certificate calls it; empty where it says nothing of the kind.
struct CertificateNames {
  std::string cn;
  std::string subject;
  std::string san;
};

/// The process at the other end of a Unix socket, when it connected.
struct PeerProcess {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups{};  // the supplementary ones
};

struct PeerFacts {
  enum class Proof : std::uint8_t {
    none,
    certificate,     // a certificate that a trusted authority has signed
    pre_shared_key,  // it knows a key of the file
    proxy,           // a trusted proxy has checked its certificate
  };

  Proof proof = Proof::none;
  /// The user name that the proof stands for; empty where the listener takes none from it.
  std::string user_name;
  CertificateNames certificate;
  std::optional<PeerProcess> process;
};

}  // namespace linnet::net
