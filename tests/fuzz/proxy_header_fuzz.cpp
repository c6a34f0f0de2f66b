// The input is read as it is, and, since nothing would get far otherwise, as what stands behind the
// start of a header: a line's words, or a version 2 block with its length and checksum made right.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "base/cat.hpp"
#include "base/crc32c.hpp"
#include "base/utf8.hpp"
#include "net/proxy_header.hpp"

namespace {

using linnet::net::Endpoint;
using linnet::net::ProxyParse;
using State = linnet::net::ProxyParse::State;

/// Without a byte behind it, so that a read too far is seen.
ProxyParse parse(std::string_view bytes) {
  const std::vector<char> exact(bytes.begin(), bytes.end());
  return linnet::net::parse_proxy_header({exact.data(), exact.size()});
}

void check_header(std::string_view bytes, const ProxyParse& whole) {
  const auto& header = whole.header;
  const bool is_line = bytes[0] == 'P';
  LINNET_ASSERT(whole.count <= bytes.size() && whole.count >= (is_line ? 15U : 16U));
  LINNET_ASSERT(whole.count <= (is_line ? 107U : linnet::net::kProxyHeaderMax));
  LINNET_ASSERT(header.certificate_verified || header.common_name.empty());
  LINNET_ASSERT(linnet::is_mqtt_utf8(header.common_name));
  if (!header.client) return;
  const bool ipv4 = header.client->family() == Endpoint::Family::ipv4;
  LINNET_ASSERT(ipv4 || header.client->family() == Endpoint::Family::ipv6);
  const std::string address = header.client->address_text();
  const std::string line =
      linnet::cat("PROXY TCP", ipv4 ? '4' : '6', ' ', address, ' ', address, ' ',
                  header.client->port(), ' ', header.client->port(), "\r\n");
  const auto again = parse(line);
  LINNET_ASSERT(again.state == State::whole && again.count == line.size());
  LINNET_ASSERT(again.header.client == header.client);
}

void check(std::string_view bytes) {
  const auto all = parse(bytes);
  LINNET_ASSERT((all.state == State::bad) == (all.error[0] != '\0'));
  if (all.state == State::whole) {
    check_header(bytes, all);
    const auto alone = parse(bytes.substr(0, all.count));
    LINNET_ASSERT(alone.state == State::whole && alone.count == all.count);
    LINNET_ASSERT(alone.header.client == all.header.client);
  } else if (all.state == State::incomplete) {
    LINNET_ASSERT(all.count == bytes.size());
  }
  // Every part of what may be a header belongs to it, and what is bad stays so.
  const std::size_t size = all.state == State::whole ? all.count : bytes.size();
  const std::size_t step = 1 + size / 64;
  bool is_bad = false;
  for (std::size_t part = 0; part < size; part += step) {
    const auto some = parse(bytes.substr(0, part));
    LINNET_ASSERT(some.state != State::whole);
    LINNET_ASSERT(!is_bad || some.state == State::bad);
    LINNET_ASSERT(some.state == State::bad || some.count == part);
    is_bad = some.state == State::bad;
  }
  LINNET_ASSERT(!is_bad || all.state == State::bad);
}

std::string version_2(std::string_view rest, bool sealed) {
  std::string bytes("\r\n\r\n\0\r\nQUIT\n", 12);
  bytes += rest.substr(0, 2);
  std::string block(rest.substr(2));
  if (sealed) block += std::string("\x03\0\x04\0\0\0\0", 7);
  bytes += static_cast<char>(block.size() >> 8);
  bytes += static_cast<char>(block.size());
  bytes += block;
  if (!sealed) return bytes;
  const std::uint32_t crc = linnet::crc32c(bytes);
  for (unsigned i = 0; i < 4; ++i)
    bytes[bytes.size() - 4 + i] = static_cast<char>(crc >> (24 - 8 * i));
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data),
                               std::min<std::size_t>(size, 5000));
  check(bytes);
  check("PROXY " + std::string(bytes) + "\r\n");
  if (size < 2) return 0;
  check(version_2(bytes, false));
  check(version_2(bytes, true));
  return 0;
}
