#include "auth/random_bytes.hpp"

#include <openssl/rand.h>
#include <stdexcept>

namespace linnet::auth {

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  auto* target = reinterpret_cast<unsigned char*>(bytes.data());
  if (RAND_bytes(target, static_cast<int>(count)) != 1) {
    throw std::runtime_error("the system has no random numbers");
  }
  return bytes;
}

}  // namespace linnet::auth
