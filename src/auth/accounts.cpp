// Two tables of the same kind, each in 16 parts with a lock of its own.
//
// The last release must not race with of_user(), which may find the account at that very moment.
// So a count of 1 becomes 0, and 0 becomes 1, only under the part's lock; all other steps need
// none.
#include "auth/accounts.hpp"

#include <array>
#include <mutex>
#include <string>
#include <utility>

#include <boost/intrusive/list.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "auth/address_key.hpp"
#include "base/assert.hpp"
#include "base/hash.hpp"
#include "base/random.hpp"

namespace linnet::auth {

namespace {

namespace bi = boost::intrusive;

constexpr std::size_t kParts = 16;
constexpr std::uint64_t kBurstMax_ms = 3'600'000;
/// How many idle accounts are looked at whenever one is asked for: more than one can become idle.
constexpr int kLooks = 2;

struct SeededHash {
  std::uint64_t seed = 0;
  std::size_t operator()(std::string_view name) const noexcept {
    return static_cast<std::size_t>(hash64(name, seed));
  }
};

}  // namespace

struct Accounts::Entry final : Account, bi::list_base_hook<> {
  Entry(Part& home, std::string_view its_name) : part(home), name(its_name) {}

  Part& part;
  const std::string name;
  std::atomic<std::uint32_t> holders{0};
};

struct alignas(64) Accounts::Part {
  AccountPtr hold(std::string_view name);
  void drop(Entry& entry) noexcept;
  void sweep();
  void forget(Entry& entry) noexcept;
  [[nodiscard]] bool has_nothing_to_remember(const Entry& entry) const noexcept;

  const Clock* clock = nullptr;
  const std::atomic<std::uint64_t>* burst_ms = nullptr;
  mutable std::mutex mutex;

  // Protected by the mutex
  boost::unordered_flat_map<std::string_view, Entry*, SeededHash> entries;
  bi::list<Entry> idle;  // in the order in which they lost their holders
  std::size_t idle_bytes = 0;
};

struct Accounts::Table {
  explicit Table(const Clock& clock) {
    Random random;
    seed = random.u64();
    for (Part& part : parts) {
      part.clock = &clock;
      part.burst_ms = &burst_ms;
      part.entries = decltype(part.entries)(0, SeededHash{random.u64()});
    }
  }
  ~Table() {
    for (Part& part : parts) {
      LINNET_ASSERT(part.entries.size() == part.idle.size());
      while (!part.idle.empty())
        part.forget(part.idle.front());
    }
  }
  AccountPtr hold(std::string_view name) { return parts[hash64(name, seed) % kParts].hold(name); }
  [[nodiscard]] std::size_t size() const {
    std::size_t count = 0;
    for (const Part& part : parts) {
      const std::lock_guard lock(part.mutex);
      count += part.entries.size();
    }
    return count;
  }

  std::uint64_t seed = 0;
  std::atomic<std::uint64_t> burst_ms{kBurstMax_ms};
  std::array<Part, kParts> parts;
};

AccountPtr Accounts::Part::hold(std::string_view name) {
  const std::lock_guard lock(mutex);
  sweep();
  if (const auto found = entries.find(name); found != entries.end()) {
    Entry& entry = *found->second;
    if (entry.is_linked()) {
      idle_bytes -= entry.name.size();
      idle.erase(idle.iterator_to(entry));
    }
    return &entry;
  }
  auto entry = std::make_unique<Entry>(*this, name);
  entries.emplace(entry->name, entry.get());
  return entry.release();
}

/// One of those who hold it lets go, and may be the last one.
void Accounts::Part::drop(Entry& entry) noexcept {
  const std::lock_guard lock(mutex);
  if (entry.holders.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  idle.push_back(entry);
  idle_bytes += entry.name.size();
  if (has_nothing_to_remember(entry)) return forget(entry);
  while (idle.size() > kIdleMax / kParts || idle_bytes > kIdleBytesMax / kParts)
    forget(idle.front());
}

void Accounts::Part::sweep() {
  for (int look = 0; look < kLooks && !idle.empty(); ++look) {
    if (!has_nothing_to_remember(idle.front())) return;
    forget(idle.front());
  }
}

void Accounts::Part::forget(Entry& entry) noexcept {
  idle_bytes -= entry.name.size();
  idle.erase(idle.iterator_to(entry));
  entries.erase(entry.name);
  delete &entry;
}

bool Accounts::Part::has_nothing_to_remember(const Entry& entry) const noexcept {
  const std::uint64_t now_ms = clock->now_ms();
  const std::uint64_t burst = burst_ms->load(std::memory_order_relaxed);
  return entry.connects.is_full(burst, now_ms) && entry.publishes.is_full(burst, now_ms) &&
         entry.bytes.is_full(burst, now_ms) && entry.subscriptions.is_full(burst, now_ms);
}

void intrusive_ptr_add_ref(Account* account) noexcept {
  static_cast<Accounts::Entry*>(account)->holders.fetch_add(1, std::memory_order_relaxed);
}

void intrusive_ptr_release(Account* account) noexcept {
  auto& entry = *static_cast<Accounts::Entry*>(account);
  std::uint32_t holders = entry.holders.load(std::memory_order_relaxed);
  while (holders > 1) {
    if (entry.holders.compare_exchange_weak(holders, holders - 1, std::memory_order_release,
                                            std::memory_order_relaxed)) {
      return;
    }
  }
  entry.part.drop(entry);
}

bool take_one(std::atomic<std::uint32_t>& count, std::uint32_t max) noexcept {
  const std::uint32_t before = count.fetch_add(1, std::memory_order_relaxed);
  if (max == 0 || before < max) return true;
  count.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

void give_back_one(std::atomic<std::uint32_t>& count) noexcept {
  count.fetch_sub(1, std::memory_order_relaxed);
}

Accounts::Accounts(const Clock& clock)
    : users_(std::make_unique<Table>(clock)), addresses_(std::make_unique<Table>(clock)) {}

namespace {
const SystemClock kSystemClock;
}  // namespace

Accounts::Accounts() : Accounts(kSystemClock) {}

Accounts::~Accounts() = default;

AccountPtr Accounts::of_user(std::string_view user_name) {
  return user_name.empty() ? nullptr : users_->hold(user_name);
}

AccountPtr Accounts::of_address(const net::Endpoint& address) {
  const auto key = AddressKey::of(address);
  return key ? addresses_->hold(key->bytes()) : nullptr;
}

void Accounts::set_burst(std::uint64_t burst_ms) noexcept {
  users_->burst_ms.store(burst_ms, std::memory_order_relaxed);
  addresses_->burst_ms.store(burst_ms, std::memory_order_relaxed);
}

std::size_t Accounts::size() const {
  return users_->size() + addresses_->size();
}

HalfOpen::~HalfOpen() {
  if (taken_) give_back_one(accounts_.half_open());
  if (address_) give_back_one(address_->half_open);
}

bool HalfOpen::take(std::uint32_t max) noexcept {
  LINNET_ASSERT(!taken_);
  taken_ = take_one(accounts_.half_open(), max);
  return taken_;
}

bool HalfOpen::take_of_address(AccountPtr address, std::uint32_t max) noexcept {
  LINNET_ASSERT(!address_);
  if (!address) return true;
  if (!take_one(address->half_open, max)) return false;
  address_ = std::move(address);
  return true;
}

}  // namespace linnet::auth
