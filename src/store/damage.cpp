#include "store/damage.hpp"

#include <string>

#include "base/cat.hpp"
#include "base/log.hpp"

namespace linnet::store {

namespace {

constexpr std::uint64_t kPeriod = 1'000;
constexpr std::size_t kKeyBytesMax = 64;

std::string_view name_of(Table table) noexcept {
  switch (table) {
    case Table::main: return "main";
    case Table::sessions: return "sessions";
    case Table::retained: return "retained";
    case Table::bodies: return "bodies";
    case Table::expiries: return "expiries";
    case Table::doomed: return "doomed";
  }
  return "unknown";
}

std::string in_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes.substr(0, kKeyBytesMax)) {
    const auto value = static_cast<unsigned char>(byte);
    text.push_back(kDigits[value >> 4]);
    text.push_back(kDigits[value & 15]);
  }
  if (bytes.size() > kKeyBytesMax) text += "...";
  return text;
}

}  // namespace

void note_damage(std::atomic<std::uint64_t>& damaged, Table table, std::string_view key) {
  const std::uint64_t before = damaged.fetch_add(1, std::memory_order_relaxed);
  if (before % kPeriod != 0) return;
  log::error("store", cat("a record in table ", name_of(table), " under key ", in_hex(key),
                          " is damaged and is passed over (", before + 1, " so far)"));
}

}  // namespace linnet::store
