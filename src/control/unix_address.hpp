// The address of a socket in a directory, also where its path is longer than an address can be.
#pragma once

#include <string>
#include <sys/socket.h>
#include <sys/un.h>

#include "net/file_descriptor.hpp"

namespace linnet::control {

struct UnixAddress {
  sockaddr_un address{};
  net::FileDescriptor directory;  // of a long path: it has to stay open until it was used
  bool valid = false;

  [[nodiscard]] const sockaddr* get() const noexcept {
    return reinterpret_cast<const sockaddr*>(&address);
  }
};

[[nodiscard]] UnixAddress unix_address(const std::string& directory, const std::string& name);

}  // namespace linnet::control
