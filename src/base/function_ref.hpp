// A callable as a parameter, without its type and without owning it: two words. The callable must
// outlive every call, so this is for parameters and not for members.
//
//   void for_each(FunctionRef<void(Session&)> visit);
#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

namespace linnet {

template <class Signature>
class FunctionRef;

template <class Return, class... Args>
class FunctionRef<Return(Args...)> {
 public:
  template <class Callable>
  requires(!std::is_same_v<std::remove_cvref_t<Callable>, FunctionRef> &&
           std::is_object_v<std::remove_reference_t<Callable>> &&
           std::is_invocable_r_v<Return, Callable&, Args...>) FunctionRef(Callable&& callable)
  noexcept  // implicit, as a parameter wants it
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(callable)))),
        call_(&invoke<std::remove_reference_t<Callable>>) {}

  Return operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  template <class Callable>
  static Return invoke(void* object, Args... args) {
    return std::invoke(*static_cast<Callable*>(object), std::forward<Args>(args)...);
  }

  void* object_;
  Return (*call_)(void*, Args...);
};

}  // namespace linnet
