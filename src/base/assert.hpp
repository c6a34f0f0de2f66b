// LINNET_ASSERT(condition): for bugs of ours, never for input from outside. It stays on in release
// builds; it stands at the doors of rooms and not in inner loops.
#pragma once

namespace linnet {

/// Says where and what on standard error, and aborts the process.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace linnet

#define LINNET_ASSERT(condition)                       \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::linnet::assertion_failed(#condition, __FILE__, __LINE__))
