#include "work_meter.hpp"

#include <cstddef>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_TOGGLE_COLLECT
#define LINNET_NO_CALLGRIND
#endif

namespace linnet::bench {

bool WorkMeter::counts_instructions() noexcept {
#ifdef LINNET_NO_CALLGRIND
  return false;
#else
  return true;
#endif
}

void WorkMeter::prepare() noexcept {
  allocations_ = 0;
  CALLGRIND_START_INSTRUMENTATION;
}

void WorkMeter::start() noexcept {
  runs_ = true;
  CALLGRIND_TOGGLE_COLLECT;
}

void WorkMeter::stop() noexcept {
  CALLGRIND_TOGGLE_COLLECT;
  runs_ = false;
}

}  // namespace linnet::bench

using linnet::bench::WorkMeter;

// The linker puts __wrap_x in the place of x, and calls x by the name of __real_x.
extern "C" {

void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void* __real_realloc(void* memory, std::size_t size);
void* __real_aligned_alloc(std::size_t alignment, std::size_t size);
void* __wrap_malloc(std::size_t size);
void* __wrap_calloc(std::size_t count, std::size_t size);
void* __wrap_realloc(void* memory, std::size_t size);
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size);

void* __wrap_malloc(std::size_t size) {
  WorkMeter::count_allocation();
  return __real_malloc(size);
}

void* __wrap_calloc(std::size_t count, std::size_t size) {
  WorkMeter::count_allocation();
  return __real_calloc(count, size);
}

void* __wrap_realloc(void* memory, std::size_t size) {
  WorkMeter::count_allocation();
  return __real_realloc(memory, size);
}

void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size) {
  WorkMeter::count_allocation();
  return __real_aligned_alloc(alignment, size);
}

}  // extern "C"
