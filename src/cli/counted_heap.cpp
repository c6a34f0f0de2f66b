// The program's operators new and delete: malloc, and a count of what is in use (base/heap_meter).
// Sanitizers have operators of their own, so that nothing is counted with them.
#include <cstdlib>
#include <malloc.h>
#include <new>

#include "base/heap_meter.hpp"

#if defined(__has_feature)  // clang's way to say it; GCC's are the names below
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LINNET_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LINNET_SANITIZED
#endif

#ifndef LINNET_SANITIZED

namespace {

/// The allocator's word before each piece.
constexpr std::size_t kHeader = sizeof(void*);

std::ptrdiff_t size_of(void* memory) noexcept {
  return static_cast<std::ptrdiff_t>(malloc_usable_size(memory) + kHeader);
}

void* counted(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  linnet::HeapMeter::count(size_of(memory));
  return memory;
}

void give_back(void* memory) noexcept {
  if (memory == nullptr) return;
  linnet::HeapMeter::count(-size_of(memory));
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(std::malloc(size == 0 ? 1 : size));
}

void* operator new[](std::size_t size) {
  return counted(std::malloc(size == 0 ? 1 : size));
}

void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  if (size > PTRDIFF_MAX - align) throw std::bad_alloc();
  return counted(std::aligned_alloc(align, (size + align - 1) / align * align));
}

void* operator new[](std::size_t size, std::align_val_t alignment) {
  return operator new(size, alignment);
}

void operator delete(void* memory) noexcept {
  give_back(memory);
}

void operator delete[](void* memory) noexcept {
  give_back(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  give_back(memory);
}

void operator delete[](void* memory, std::size_t) noexcept {
  give_back(memory);
}

void operator delete(void* memory, std::align_val_t) noexcept {
  give_back(memory);
}

void operator delete[](void* memory, std::align_val_t) noexcept {
  give_back(memory);
}

void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  give_back(memory);
}

void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  give_back(memory);
}

#endif
