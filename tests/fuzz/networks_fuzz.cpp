// The first 17 bytes are an address, the rest the text of a network: what it holds must be what a
// slow and simple comparison holds, and the text of an address what the system's own parser takes.
#include <algorithm>
#include <arpa/inet.h>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "base/assert.hpp"
#include "net/endpoint.hpp"
#include "net/networks.hpp"

namespace {

using linnet::net::Endpoint;
using linnet::net::Networks;

constexpr std::size_t kAddressSize = 17;

bool is_ipv4_in_ipv6(const Endpoint& endpoint, std::string_view text) {
  return endpoint.family() == Endpoint::Family::ipv4 && text.find(':') != text.npos;
}

void check_endpoint(std::string_view text) {
  const auto endpoint = Endpoint::parse(text, 1);
  const bool brackets = text.starts_with('[') && text.ends_with(']');
  if (text.find('\0') != text.npos) {
    LINNET_ASSERT(!endpoint);
  } else if (!brackets) {
    const std::string copy(text);
    char bytes[16];
    const bool known = ::inet_pton(AF_INET, copy.c_str(), bytes) == 1 ||
                       ::inet_pton(AF_INET6, copy.c_str(), bytes) == 1;
    LINNET_ASSERT(known == endpoint.has_value());
  }
  if (!endpoint) return;
  LINNET_ASSERT(endpoint->port() == 1);
  LINNET_ASSERT(Endpoint::parse(endpoint->address_text(), 1) == endpoint);
}

bool shares_bits(const Endpoint& one, const Endpoint& other, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned difference = one.bytes()[i / 8] ^ other.bytes()[i / 8];
    if (difference & (0x80U >> (i % 8))) return false;
  }
  return true;
}

/// Of a text that is known to be right.
bool holds(std::string_view text, const Endpoint& endpoint) {
  if (text == "unix") return endpoint.family() == Endpoint::Family::unix_socket;
  if (text == "loopback") return endpoint.is_loopback();
  const auto slash = text.find('/');
  const auto network = Endpoint::parse(text.substr(0, slash), 0);
  LINNET_ASSERT(network.has_value());
  std::size_t bits = network->family() == Endpoint::Family::ipv4 ? 32 : 128;
  if (slash != text.npos) {
    bits = static_cast<std::size_t>(std::atoi(std::string(text.substr(slash + 1)).c_str()));
    if (is_ipv4_in_ipv6(*network, text)) bits -= 96;
  }
  return network->family() == endpoint.family() && shares_bits(*network, endpoint, bits);
}

void check_network(const std::string& text, const Endpoint& endpoint) {
  std::string error;
  const auto networks = Networks::parse({&text, 1}, error);
  LINNET_ASSERT(networks.has_value() == error.empty());
  if (!networks) return;
  LINNET_ASSERT(!networks->empty());
  LINNET_ASSERT(networks->contains(endpoint) == holds(text, endpoint));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kAddressSize) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string_view address = bytes.substr(1, data[0] & 1 ? 4 : 16);
  const std::string text(bytes.substr(kAddressSize));
  check_endpoint(text);
  check_network(text, Endpoint::from_bytes(address, 0));
  check_network(text, Endpoint{});
  // The address itself, so that there is something to be held.
  const auto endpoint = Endpoint::from_bytes(address, 0);
  check_network(endpoint.address_text(), endpoint);
  check_network(endpoint.address_text() + '/' + std::to_string(data[0] / 2), endpoint);
  return 0;
}
