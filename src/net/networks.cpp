#include "net/networks.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/cat.hpp"

namespace linnet::net {

namespace {

using Family = Endpoint::Family;
using Bytes = std::array<std::uint8_t, 16>;

constexpr unsigned kMappedBits = 96;  // of ::ffff:0:0/96, which is all of IPv4

constexpr std::string_view kHow =
    "write an address (192.0.2.7), a network (10.0.0.0/8, 2001:db8::/32), 'loopback' or 'unix'";

/// The part of `bytes` behind the first `bits` is zero.
bool ends_with_zeros(const Bytes& bytes, unsigned bits) noexcept {
  for (unsigned bit = bits; bit < 128; ++bit) {
    if ((bytes[bit / 8] >> (7 - bit % 8)) & 1) return false;
  }
  return true;
}

bool shares_first_bits(const Bytes& one, const Bytes& other, unsigned bits) noexcept {
  const auto whole = static_cast<std::ptrdiff_t>(bits / 8);
  if (!std::equal(one.begin(), one.begin() + whole, other.begin())) return false;
  if (bits % 8 == 0) return true;
  const unsigned shift = 8 - bits % 8;
  return (one[bits / 8] >> shift) == (other[bits / 8] >> shift);
}

/// 0 to 999, in decimal digits without zeros in front.
std::optional<unsigned> parse_bits(std::string_view text) noexcept {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) return {};
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return bits;
}

}  // namespace

std::optional<Networks> Networks::parse(std::span<const std::string> texts, std::string& error) {
  Networks result;
  for (const std::string& text : texts) {
    if (!result.add(text, error)) return std::nullopt;
  }
  return result;
}

bool Networks::add(std::string_view text, std::string& error) {
  if (text == "unix" || text == "loopback") {
    networks_.push_back({Family::unix_socket, 0, {}});
    if (text == "unix") return true;
    networks_.push_back({Family::ipv4, 8, {127}});
    Network one{Family::ipv6, 128, {}};
    one.bytes.back() = 1;
    networks_.push_back(one);
    return true;
  }
  const auto slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  const auto endpoint = Endpoint::parse(address, 0);
  if (!endpoint) {
    error = cat("'", text, "' is not a network; ", kHow);
    return false;
  }
  const bool ipv4 = endpoint->family() == Family::ipv4;
  // How IPv4 is written in IPv6; its first 96 bits are not in the endpoint.
  const unsigned hidden = ipv4 && address.find(':') != std::string_view::npos ? kMappedBits : 0;
  const unsigned bits_max = ipv4 ? 32 : 128;
  unsigned bits = bits_max;
  if (slash != std::string_view::npos) {
    const auto written = parse_bits(text.substr(slash + 1));
    if (!written || *written < hidden || *written - hidden > bits_max) {
      error = cat("'", text, "' has a wrong number of bits; it is ", hidden, " to ",
                  bits_max + hidden, " for such an address; ", kHow);
      return false;
    }
    bits = *written - hidden;
  }
  if (!ends_with_zeros(endpoint->bytes(), bits)) {
    error = cat("'", text, "' is an address in a network, not the network: behind its first ",
                bits + hidden, " bits all must be zero; ", kHow);
    return false;
  }
  networks_.push_back({endpoint->family(), static_cast<std::uint8_t>(bits), endpoint->bytes()});
  return true;
}

bool Networks::contains(const Endpoint& endpoint) const noexcept {
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    return network.family == endpoint.family() &&
           shares_first_bits(network.bytes, endpoint.bytes(), network.bits);
  });
}

}  // namespace linnet::net
