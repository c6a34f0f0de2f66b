#include "store/map_guard.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

#include "store/environment.hpp"

namespace linnet::store {

namespace {

struct Watched {
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> end{0};
  std::atomic<std::size_t> page_bytes{0};
  std::atomic<std::uint64_t> holes{0};
};

// A signal has one handler for the whole process, and the handler is given nothing but an address:
// these few words are the only state of the store that does not hang on an object. All of it is
// lock-free, since a handler may not wait.
std::array<Watched, 12> watched_maps;
std::atomic<std::uint64_t> holes_now{0};
thread_local int guards_here = 0;
struct sigaction action_before;
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free);

/// The narrowest, since watch_everything() overlaps with others.
Watched* map_around(std::uintptr_t address) noexcept {
  Watched* best = nullptr;
  std::uintptr_t best_bytes = UINTPTR_MAX;
  for (auto& map : watched_maps) {
    const std::uintptr_t begin = map.begin.load();
    const std::uintptr_t end = map.end.load();
    if (address < begin || address >= end || end - begin >= best_bytes) continue;
    best = &map;
    best_bytes = end - begin;
  }
  return best;
}

/// LMDB takes a page of zeros for a broken tree and in some places aborts the process; a leaf
/// without entries only leads it to a record that fails its checksum, or to none.
void write_empty_leaf(char* page, std::uint16_t page_bytes) noexcept {
  constexpr std::uint16_t kLeaf = 0x02;
  constexpr std::size_t kNumberBytes = sizeof(std::size_t);
  const std::uint16_t lower = kNumberBytes + 8;
  const std::uint16_t header[] = {0, kLeaf, lower, page_bytes};
  std::memcpy(page + kNumberBytes, header, sizeof header);
}

bool fill_hole(Watched& map, std::uintptr_t address) noexcept {
  const auto system_page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const std::uintptr_t at = address & ~(system_page - 1);
  void* const page = mmap(reinterpret_cast<void*>(at), system_page, PROT_READ | PROT_WRITE,
                          MAP_FIXED | MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  if (page == MAP_FAILED) return false;
  const std::size_t step = map.page_bytes.load();
  for (std::size_t i = 0; i < system_page; i += step) {
    if ((at + i - map.begin.load()) % step != 0) continue;
    write_empty_leaf(static_cast<char*>(page) + i, static_cast<std::uint16_t>(step));
  }
  mprotect(page, system_page, PROT_READ);
  map.holes.fetch_add(1);
  holes_now.fetch_add(1);
  return true;
}

void on_sigbus(int /*signal*/, siginfo_t* info, void* /*context*/) {
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  Watched* const map = guards_here > 0 ? map_around(address) : nullptr;
  if (map != nullptr && fill_hole(*map, address)) return;
  // Not ours: the same instruction fails again, and ends the process as it would have.
  sigaction(SIGBUS, &action_before, nullptr);
}

void install_handler() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action {};
    action.sa_sigaction = on_sigbus;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &action_before);
  });
}

}  // namespace

WatchedMap watch_map(const void* begin, std::size_t bytes, std::size_t page_bytes) {
  static std::mutex mutex;
  install_handler();
  const std::scoped_lock lock(mutex);
  for (std::size_t i = 0; i < watched_maps.size(); ++i) {
    auto& map = watched_maps[i];
    if (map.begin.load() != 0) continue;
    const auto address = reinterpret_cast<std::uintptr_t>(begin);
    map.page_bytes = page_bytes;
    map.holes = 0;
    map.begin = address;
    map.end = address + bytes;
    return i + 1;
  }
  return 0;
}

WatchedMap watch_everything(std::size_t page_bytes) {
  const auto* const first = reinterpret_cast<const void*>(page_bytes);
  return watch_map(first, SIZE_MAX - 2 * page_bytes, page_bytes);
}

bool has_hole(WatchedMap map) noexcept {
  return map != 0 && watched_maps[map - 1].holes.load() != 0;
}

void unwatch_map(WatchedMap map) noexcept {
  if (map == 0) return;
  auto& watched = watched_maps[map - 1];
  watched.end = 0;
  holes_now.fetch_sub(watched.holes.exchange(0));
  watched.begin = 0;
}

MapGuard::MapGuard() noexcept {
  ++guards_here;
}

MapGuard::~MapGuard() {
  --guards_here;
}

bool MapGuard::hit() const noexcept {
  return holes_now.load(std::memory_order_relaxed) != 0;
}

}  // namespace linnet::store
