// The first byte alone decides, and every byte decides something.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "net/first_bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using linnet::net::FirstProtocol;
  // Without a byte behind it, so that a read too far is seen.
  const std::vector<char> exact(data, data + size);
  const std::string_view bytes(exact.data(), exact.size());
  const auto protocol = linnet::net::first_protocol(bytes);
  LINNET_ASSERT((protocol == FirstProtocol::none) == bytes.empty());
  LINNET_ASSERT(protocol == linnet::net::first_protocol(bytes.substr(0, 1)));
  LINNET_ASSERT(bytes.empty() || (protocol == FirstProtocol::mqtt) == (bytes[0] == 0x10));
  LINNET_ASSERT(bytes.empty() || (protocol == FirstProtocol::tls) == (bytes[0] == 0x16));
  return 0;
}
