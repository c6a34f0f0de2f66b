#include "auth/remembered_logins.hpp"

#include <cstring>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <tuple>

#include "auth/random_bytes.hpp"
#include "base/assert.hpp"

namespace linnet::auth {

RememberedLogins::RememberedLogins(std::size_t size_max)
    : key_(random_bytes(std::tuple_size_v<Mark>)), size_max_(size_max) {}

std::size_t RememberedLogins::MarkHash::operator()(const Mark& mark) const noexcept {
  std::size_t bits = 0;
  std::memcpy(&bits, mark.data(), sizeof bits);
  return bits;
}

/// Over the policy's serial, too: a reload may have changed the password.
RememberedLogins::Mark RememberedLogins::mark_of(const LoginJob& job) const {
  const std::uint64_t serial = job.policy->serial();
  const std::uint64_t name_size = job.user_name.size();
  Secret text([&] {
    std::string joined(sizeof serial + sizeof name_size, '\0');
    std::memcpy(joined.data(), &serial, sizeof serial);
    std::memcpy(joined.data() + sizeof serial, &name_size, sizeof name_size);
    joined.reserve(joined.size() + job.user_name.size() + job.password.view().size());
    joined.append(job.user_name).append(job.password.view());
    return joined;
  }());
  Mark mark{};
  unsigned int size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.view().data());
  const auto* made = HMAC(EVP_sha256(), key_.view().data(), static_cast<int>(key_.view().size()),
                          bytes, text.view().size(), mark.data(), &size);
  LINNET_ASSERT(made != nullptr && size == mark.size());
  return mark;
}

bool RememberedLogins::holds(const LoginJob& job) {
  if (job.method != Method::password) return false;
  const Mark mark = mark_of(job);
  const std::lock_guard lock(mutex_);
  return marks_.contains(mark);
}

void RememberedLogins::add(const LoginJob& job) {
  if (job.method != Method::password) return;
  const Mark mark = mark_of(job);
  const std::lock_guard lock(mutex_);
  if (!marks_.insert(mark).second) return;
  order_.push_back(mark);
  shrink();
}

void RememberedLogins::resize(std::size_t size_max) {
  const std::lock_guard lock(mutex_);
  size_max_ = size_max;
  shrink();
}

void RememberedLogins::squeeze(bool is_short) {
  constexpr std::size_t kShortPart = 16;
  const std::lock_guard lock(mutex_);
  part_ = is_short ? kShortPart : 1;
  shrink();
}

void RememberedLogins::shrink() {
  while (order_.size() > size_max_ / part_) {
    marks_.erase(order_.front());
    order_.pop_front();
  }
}

}  // namespace linnet::auth
