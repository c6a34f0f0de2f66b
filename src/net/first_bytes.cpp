#include "net/first_bytes.hpp"

namespace linnet::net {

FirstProtocol first_protocol(std::string_view bytes) noexcept {
  if (bytes.empty()) return FirstProtocol::none;
  const char first = bytes.front();
  if (first == '\x10') return FirstProtocol::mqtt;
  if (first == '\x16') return FirstProtocol::tls;
  if (first >= 'A' && first <= 'Z') return FirstProtocol::http;
  return FirstProtocol::unknown;
}

}  // namespace linnet::net
