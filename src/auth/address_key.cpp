#include "auth/address_key.hpp"

#include <algorithm>

#include "base/cat.hpp"

namespace linnet::auth {

using Family = net::Endpoint::Family;

namespace {

constexpr std::uint8_t kIpv4Size = 4;
constexpr std::uint8_t kIpv6Size = 8;
constexpr std::uint8_t kSiteSize = 6;

}  // namespace

std::optional<AddressKey> AddressKey::of(const net::Endpoint& address) noexcept {
  if (address.family() != Family::ipv4 && address.family() != Family::ipv6) return std::nullopt;
  AddressKey key;
  key.size_ = address.family() == Family::ipv4 ? kIpv4Size : kIpv6Size;
  std::copy_n(address.bytes().begin(), key.size_, key.bytes_);
  return key;
}

std::optional<AddressKey> AddressKey::site() const noexcept {
  if (size_ != kIpv6Size) return std::nullopt;
  AddressKey key;
  key.size_ = kSiteSize;
  std::copy_n(bytes_, kSiteSize, key.bytes_);
  return key;
}

std::string AddressKey::text() const {
  std::string bytes(bytes_, size_);
  if (size_ == kIpv4Size) return net::Endpoint::from_bytes(bytes, 0).address_text();
  bytes.resize(16);
  return cat(net::Endpoint::from_bytes(bytes, 0).address_text(), '/', 8 * size_);
}

}  // namespace linnet::auth
