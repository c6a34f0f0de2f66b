#include "base/process_memory.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fcntl.h>
#include <fstream>
#include <link.h>
#include <malloc.h>
#include <optional>
#include <span>
#include <string_view>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cat.hpp"

namespace linnet {

namespace {

/// If nothing can be found out: what a small machine has.
constexpr std::uint64_t kUnknown = std::uint64_t{128} << 20;
/// A budget below this is one of a small machine: the heap is kept tight.
constexpr std::uint64_t kSmall = std::uint64_t{512} << 20;

/// The number at the beginning of a line, after blanks; nothing if there is none ("max").
std::optional<std::uint64_t> leading_number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> number_in(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return leading_number(line);
}

std::uint64_t machine_memory(const std::string& root) {
  constexpr std::string_view kName = "MemTotal:";
  std::ifstream file(root + "/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(kName)) continue;
    return leading_number(std::string_view(line).substr(kName.size())).value_or(0) << 10;
  }
  return 0;
}

/// The least that a group or one of those around it allows; 0 if none does.
std::uint64_t group_memory(const std::string& mount, std::string group, std::string_view file) {
  std::uint64_t least = 0;
  for (;;) {
    const auto limit = number_in(cat(mount, group == "/" ? "" : group, "/", file));
    if (limit && *limit > 0 && (least == 0 || *limit < least)) least = *limit;
    const auto slash = group.rfind('/');
    if (group.size() <= 1 || slash == std::string::npos) return least;
    group.resize(std::max<std::size_t>(slash, 1));
  }
}

/// Whether version 1's list of controllers has the one for memory.
bool rules_memory(std::string_view controllers) {
  while (!controllers.empty()) {
    const auto comma = controllers.find(',');
    if (controllers.substr(0, comma) == "memory") return true;
    if (comma == std::string_view::npos) return false;
    controllers.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

ProcessMemory::ProcessMemory() : fd_(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC)) {}

ProcessMemory::~ProcessMemory() {
  if (fd_ >= 0) ::close(fd_);
}

std::uint64_t ProcessMemory::resident_bytes() noexcept {
  // Pages: all that is mapped, what of it is resident, and what of that belongs to files.
  std::array<char, 128> text{};
  const ssize_t size = fd_ < 0 ? 0 : ::pread(fd_, text.data(), text.size(), 0);
  const char* at = text.data();
  const char* const end = at + std::max<ssize_t>(size, 0);
  std::array<std::uint64_t, 3> pages{};
  for (std::uint64_t& number : pages) {
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc()) return 0;
    at = next == end ? end : next + 1;
  }
  static const auto kPage = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return pages[1] > pages[2] ? (pages[1] - pages[2]) * kPage : 0;
}

void ProcessMemory::give_back() noexcept {
  malloc_trim(0);
}

std::uint64_t available_memory(const std::string& root) {
  std::uint64_t available = machine_memory(root);
  const auto take = [&available](std::uint64_t limit) {
    if (limit != 0 && (available == 0 || limit < available)) available = limit;
  };
  // "0::/path" is version 2's; "5:memory:/path" is version 1's.
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto controllers = std::string_view(line).substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) take(group_memory(root + "/sys/fs/cgroup", group, "memory.max"));
    if (rules_memory(controllers)) {
      take(group_memory(root + "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes"));
    }
  }
  return available;
}

std::uint64_t memory_limit(std::uint64_t configured) {
  if (configured != 0) return configured;
  const std::uint64_t available = available_memory();
  return (available == 0 ? kUnknown : available) / 2;
}

void tune_heap(std::uint64_t limit) noexcept {
  // With a large budget the library's own ways are the fastest.
  if (limit >= kSmall) return;
  mallopt(M_TRIM_THRESHOLD, 256 << 10);
  mallopt(M_MMAP_THRESHOLD, 128 << 10);
  // Each arena wastes some; shards wait for each other only where they allocate at the same time.
  constexpr std::uint64_t kPerArena = std::uint64_t{64} << 20;
  mallopt(M_ARENA_MAX, static_cast<int>(std::clamp<std::uint64_t>(limit / kPerArena, 1, 8)));
}

std::size_t forget_startup_pages() noexcept {
  std::size_t forgotten = 0;
  const auto forget = [](dl_phdr_info* object, std::size_t, void* sum) {
    // The kernel's own page of code belongs to no file.
    if (object->dlpi_addr == ::getauxval(AT_SYSINFO_EHDR)) return 0;
    static const auto kPage = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    for (const ElfW(Phdr) & part : std::span(object->dlpi_phdr, object->dlpi_phnum)) {
      // What may be written to, or was while it was relocated, can't be read again.
      if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0) continue;
      const std::uintptr_t begin = (object->dlpi_addr + part.p_vaddr) & ~(kPage - 1);
      const std::uintptr_t end = object->dlpi_addr + part.p_vaddr + part.p_filesz;
      const std::size_t size = (end - begin + kPage - 1) & ~(kPage - 1);
      if (::madvise(reinterpret_cast<void*>(begin), size, MADV_DONTNEED) == 0) {
        *static_cast<std::size_t*>(sum) += size;
      }
    }
    return 0;
  };
  ::dl_iterate_phdr(forget, &forgotten);
  return forgotten;
}

}  // namespace linnet
