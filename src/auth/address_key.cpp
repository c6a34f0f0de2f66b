#include "auth/address_key.hpp"

#include <algorithm>

#include "base/cat.hpp"

namespace linnet::auth {

using Family = net::Endpoint::Family;

std::optional<AddressKey> AddressKey::of(const net::Endpoint& address) noexcept {
  if (address.family() != Family::ipv4 && address.family() != Family::ipv6) return std::nullopt;
  AddressKey key;
  key.size_ = address.family() == Family::ipv4 ? 4 : 8;
  std::copy_n(address.bytes().begin(), key.size_, key.bytes_);
  return key;
}

std::string AddressKey::text() const {
  std::string bytes(bytes_, size_);
  const bool is_ipv6 = size_ == sizeof bytes_;
  if (is_ipv6) bytes.resize(16);
  return cat(net::Endpoint::from_bytes(bytes, 0).address_text(), is_ipv6 ? "/64" : "");
}

}  // namespace linnet::auth
