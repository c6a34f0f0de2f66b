// A count for objects of one shard that operations under way must keep alive after they have ended.
// Not atomic: the object and everything that refers to it belong to one thread.
#pragma once

#include <cstdint>

#include <boost/smart_ptr/intrusive_ptr.hpp>

namespace linnet {

template <class Derived>
class RefCounted {
 public:
  RefCounted() noexcept = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

 protected:
  ~RefCounted() = default;

 private:
  friend void intrusive_ptr_add_ref(const RefCounted* object) noexcept { ++object->references_; }
  friend void intrusive_ptr_release(const RefCounted* object) noexcept {
    if (--object->references_ == 0) delete static_cast<const Derived*>(object);
  }

  mutable std::uint32_t references_ = 0;
};

}  // namespace linnet
