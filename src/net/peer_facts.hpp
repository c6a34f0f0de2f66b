// Who is at the other end of a link, as far as its transport can tell: by a certificate, a
// pre-shared key, or the word of a trusted proxy. Any thread.
#pragma once

#include <cstdint>
#include <string>

namespace linnet::net {

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
};

}  // namespace linnet::net
