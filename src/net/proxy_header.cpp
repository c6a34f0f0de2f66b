#include "net/proxy_header.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "base/utf8.hpp"

namespace linnet::net {

namespace {

using State = ProxyParse::State;

constexpr std::string_view kV1Start = "PROXY ";
constexpr std::size_t kV1Max = 107;  // with CR and LF

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kV2HeadSize = 16;  // signature, version and command, family, length
constexpr std::size_t kUnixAddressesSize = 216;

constexpr const char* kNotThere =
    "no PROXY header came first; let the proxy send one, or do not set proxy_protocol on this "
    "listener";
constexpr const char* kBadTlv =
    "the PROXY header has TLVs that do not fit into it; the proxy must send the right lengths";

/// The types of TLVs, as the protocol numbers them.
enum class Tlv : std::uint8_t { alpn = 0x01, crc32c = 0x03, ssl = 0x20, ssl_cn = 0x22 };

/// Bits of the first byte of Tlv::ssl.
constexpr unsigned kClientSsl = 0x01;
constexpr unsigned kClientCertificate = 0x02 | 0x04;  // of this connection, or of its TLS session

ProxyParse bad(const char* error) {
  ProxyParse parse;
  parse.state = State::bad;
  parse.error = error;
  return parse;
}

ProxyParse incomplete(std::size_t count) {
  ProxyParse parse;
  parse.count = count;
  return parse;
}

ProxyParse whole(std::size_t count) {
  ProxyParse parse;
  parse.state = State::whole;
  parse.count = count;
  return parse;
}

/// Whether `bytes` are `start`, or the beginning of it, or go on behind it.
bool may_start_with(std::string_view bytes, std::string_view start) noexcept {
  const auto count = std::min(bytes.size(), start.size());
  return bytes.substr(0, count) == start.substr(0, count);
}

// Version 1 ---------------------------------------------------------------------------------------

/// Takes what stands before the next space, and the space.
std::string_view take_word(std::string_view& line) noexcept {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  return word;
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::optional<Endpoint> parse_v1_endpoint(std::string_view address, std::string_view port,
                                          bool ipv6) {
  const auto number = parse_port(port);
  const bool is_ipv6 = address.find(':') != std::string_view::npos;
  if (!number || is_ipv6 != ipv6 || address.starts_with('[')) return std::nullopt;
  return Endpoint::parse(address, *number);
}

/// `line` is what stands between "PROXY " and the end of the line; `count` is of the whole header.
ProxyParse parse_v1_line(std::string_view line, std::size_t count) {
  const std::string_view protocol = take_word(line);
  if (protocol == "UNKNOWN") return whole(count);
  const bool ipv6 = protocol == "TCP6";
  if (!ipv6 && protocol != "TCP4") {
    return bad("the PROXY line names another protocol; it must be TCP4, TCP6 or UNKNOWN");
  }
  const std::string_view source = take_word(line);
  const std::string_view target = take_word(line);
  const std::string_view source_port = take_word(line);
  const auto client = parse_v1_endpoint(source, source_port, ipv6);
  if (!client || !parse_v1_endpoint(target, line, ipv6)) {
    return bad(
        "the PROXY line is malformed; it must be 'PROXY TCP4 source target source-port "
        "target-port', with one space between each");
  }
  ProxyParse parse = whole(count);
  parse.header.client = client;
  return parse;
}

ProxyParse parse_v1(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, kV1Max);
  const auto end = line.find("\r\n");
  if (end != std::string_view::npos) {
    return parse_v1_line(line.substr(kV1Start.size(), end - kV1Start.size()), end + 2);
  }
  if (line.size() == kV1Max) {
    return bad("the PROXY line is too long; it must end with CR and LF within 107 bytes");
  }
  // What can't become right any more need not be waited for.
  const std::string_view rest = line.substr(std::min(line.size(), kV1Start.size()));
  const bool right = may_start_with(rest, "TCP4 ") || may_start_with(rest, "TCP6 ") ||
                     may_start_with(rest, "UNKNOWN ") || may_start_with(rest, "UNKNOWN\r\n");
  if (!right) {
    return bad("the PROXY line is malformed; it must go on with TCP4, TCP6 or UNKNOWN");
  }
  if (rest.starts_with("TCP") && rest.find('\n') != std::string_view::npos) {
    return bad("the PROXY line ends with LF alone; it must end with CR and LF");
  }
  return incomplete(line.size());
}

// Version 2 ---------------------------------------------------------------------------------------

/// Walks over TLVs; false at the end, and then `broken` if it was not a right one.
class TlvWalk {
 public:
  explicit TlvWalk(std::string_view tlvs) noexcept : in_(tlvs) {}

  bool next() noexcept {
    if (in_.empty()) return false;
    type_ = Tlv{in_.u8()};
    value_ = in_.string();
    return in_.ok();
  }
  [[nodiscard]] bool broken() const noexcept { return !in_.ok(); }
  [[nodiscard]] Tlv type() const noexcept { return type_; }
  [[nodiscard]] std::string_view value() const noexcept { return value_; }

 private:
  Reader in_;
  Tlv type_{};
  std::string_view value_;
};

/// The following return what is wrong, or null.
const char* read_ssl(std::string_view value, ProxyHeader& header) {
  Reader in(value);
  const unsigned client = in.u8();
  const std::uint32_t verify = in.u32();
  if (!in.ok()) return kBadTlv;
  std::optional<std::string_view> common_name;
  TlvWalk walk(in.rest());
  while (walk.next()) {
    if (walk.type() != Tlv::ssl_cn) continue;
    if (common_name) return "the PROXY header has two common names; the proxy must send one";
    common_name = walk.value();
    if (!is_mqtt_utf8(*common_name)) {
      return "the common name in the PROXY header is not UTF-8; use another certificate";
    }
  }
  if (walk.broken()) return kBadTlv;
  header.certificate_verified =
      (client & kClientSsl) != 0 && (client & kClientCertificate) != 0 && verify == 0;
  if (header.certificate_verified && common_name) header.common_name = *common_name;
  return nullptr;
}

/// `value` is a part of `header_bytes`; the checksum is taken with zeros in its place.
const char* check_crc(std::string_view header_bytes, std::string_view value) noexcept {
  Reader in(value);
  const std::uint32_t told = in.u32();
  if (!in.ok() || !in.empty()) return kBadTlv;
  const auto at = static_cast<std::size_t>(value.data() - header_bytes.data());
  std::uint32_t crc = crc32c(header_bytes.substr(0, at));
  crc = crc32c(std::string_view("\0\0\0\0", 4), crc);
  crc = crc32c(header_bytes.substr(at + value.size()), crc);
  if (crc != told) return "the PROXY header is damaged: its checksum is wrong; send it again";
  return nullptr;
}

const char* read_tlvs(std::string_view header_bytes, std::string_view tlvs, ProxyHeader& header) {
  bool has_alpn = false;
  bool has_crc = false;
  bool has_ssl = false;
  TlvWalk walk(tlvs);
  while (walk.next()) {
    const char* error = nullptr;
    bool repeated = false;
    switch (walk.type()) {
      case Tlv::alpn:
        repeated = std::exchange(has_alpn, true);
        header.alpn = walk.value();
        break;
      case Tlv::crc32c:
        repeated = std::exchange(has_crc, true);
        error = check_crc(header_bytes, walk.value());
        break;
      case Tlv::ssl:
        repeated = std::exchange(has_ssl, true);
        error = read_ssl(walk.value(), header);
        break;
      default: break;  // names, padding, and what is not known yet
    }
    if (repeated) return "the PROXY header has a TLV twice; the proxy must send each once";
    if (error != nullptr) return error;
  }
  return walk.broken() ? kBadTlv : nullptr;
}

/// Takes the addresses off `block`. TLVs follow them.
const char* read_addresses(unsigned family, std::string_view& block, ProxyHeader& header) {
  std::size_t address_size = 0;
  switch (family) {
    case 0x00: return nullptr;
    case 0x11:
    case 0x12: address_size = 4; break;
    case 0x21:
    case 0x22: address_size = 16; break;
    case 0x31:
    case 0x32: break;
    default: return "the PROXY header has an unknown address family; the proxy must send a known";
  }
  // Local to the proxy's machine, which need not be ours: no address of a client.
  const bool is_unix = address_size == 0;
  const std::size_t size = is_unix ? kUnixAddressesSize : 2 * address_size + 4;
  if (block.size() < size) {
    return "the PROXY header is too short for its addresses; the proxy must send the right length";
  }
  if (!is_unix) {
    Reader in(block);
    const std::string_view source = in.take(address_size);
    static_cast<void>(in.take(address_size));  // the address that the client connected to
    header.client = Endpoint::from_bytes(source, in.u16());
  }
  block.remove_prefix(size);
  return nullptr;
}

ProxyParse parse_v2(std::string_view bytes) {
  Reader in(bytes.substr(kSignature.size()));
  const unsigned version = in.u8();
  if (in.ok() && version != 0x20 && version != 0x21) {
    return bad("the PROXY header has an unknown version or command; the proxy must send version 2");
  }
  const unsigned family = in.u8();
  const std::size_t size = kV2HeadSize + in.u16();
  if (!in.ok()) return incomplete(bytes.size());
  if (size > kProxyHeaderMax) {
    return bad("the PROXY header is longer than 4096 bytes; the proxy must send fewer TLVs");
  }
  if (bytes.size() < size) return incomplete(bytes.size());
  const std::string_view header_bytes = bytes.substr(0, size);
  std::string_view block = header_bytes.substr(kV2HeadSize);
  ProxyParse parse = whole(size);
  // LOCAL: nothing of the block counts, not even its family.
  if (version == 0x20) return parse;
  const char* error = read_addresses(family, block, parse.header);
  if (error == nullptr) error = read_tlvs(header_bytes, block, parse.header);
  return error == nullptr ? parse : bad(error);
}

}  // namespace

ProxyParse parse_proxy_header(std::string_view bytes) {
  if (may_start_with(bytes, kSignature)) {
    return bytes.size() < kSignature.size() ? incomplete(bytes.size()) : parse_v2(bytes);
  }
  if (may_start_with(bytes, kV1Start)) return parse_v1(bytes);
  return bad(kNotThere);
}

}  // namespace linnet::net
