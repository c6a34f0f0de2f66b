#include "net/lookup.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <memory>
#include <netdb.h>

#include "base/cat.hpp"

namespace linnet::net {

Lookup look_up(const std::string& host, std::uint16_t port) {
  Lookup lookup;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;  // of a meaning only without a host
  addrinfo* list = nullptr;
  const char* name = host.empty() ? nullptr : host.c_str();
  const int failed = ::getaddrinfo(name, cat(port).c_str(), &hints, &list);
  if (failed != 0) {
    lookup.error = ::gai_strerror(failed);
    return lookup;
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> guard(list, ::freeaddrinfo);
  for (const addrinfo* found = list; found != nullptr; found = found->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    address.size = found->ai_addrlen;
    // A hosts file may name an address twice.
    const auto& known = lookup.addresses;
    if (std::find(known.begin(), known.end(), address) == known.end()) {
      lookup.addresses.push_back(address);
    }
  }
  return lookup;
}

bool is_address(const std::string& host) noexcept {
  in6_addr bytes{};
  return ::inet_pton(AF_INET, host.c_str(), &bytes) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &bytes) == 1;
}

}  // namespace linnet::net
