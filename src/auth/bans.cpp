#include "auth/bans.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <tuple>
#include <utility>

#include <boost/intrusive/list.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "auth/address_key.hpp"
#include "base/cat.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/rate_limit.hpp"

namespace linnet::auth {

namespace {

namespace bi = boost::intrusive;

constexpr std::uint64_t kForever = std::numeric_limits<std::uint64_t>::max();
/// A ban is remembered for this many times its length after its end.
constexpr std::uint64_t kRemembered = 10;
/// How many of the oldest addresses are looked at whenever a new one comes.
constexpr int kLooks = 2;

struct KeyHash {
  std::uint64_t seed = 0;
  std::size_t operator()(const AddressKey& key) const noexcept {
    return static_cast<std::size_t>(hash64(key.bytes(), seed));
  }
};

/// What is known of an address.
struct Record : bi::list_base_hook<> {
  explicit Record(const AddressKey& its_key) noexcept : key(its_key) {}

  [[nodiscard]] bool is_banned(std::uint64_t now_ms) const noexcept { return now_ms < until_ms; }

  AddressKey key;
  std::uint64_t window_ends_ms = 0;  // of the wrong logins that are being counted
  std::uint64_t until_ms = 0;        // of the last ban; 0: there was none
  std::uint64_t forget_ms = 0;
  std::uint32_t wrong = 0;
  std::uint32_t times = 0;
  bool by_hand = false;
};

std::uint64_t ms_of(std::chrono::milliseconds time) noexcept {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
}

/// Twice as long with each ban that came before.
std::uint64_t ban_ms(const BanConfig& terms, std::uint32_t times) noexcept {
  const std::uint64_t most = ms_of(terms.time_max);
  std::uint64_t time_ms = std::max<std::uint64_t>(ms_of(terms.time), 1);
  for (; times > 0 && time_ms < most; --times)
    time_ms *= 2;  // less than twice time_max
  return std::min(time_ms, std::max<std::uint64_t>(most, 1));
}

std::string time_text(std::uint64_t time_ms) {
  const std::uint64_t seconds = (time_ms + 999) / 1000;
  return seconds < 120 ? cat(seconds, " s") : cat((seconds + 59) / 60, " min");
}

}  // namespace

struct Bans::Impl {
  using Records = boost::unordered_flat_map<AddressKey, std::unique_ptr<Record>, KeyHash>;

  [[nodiscard]] Record* find(const AddressKey& key) const;
  Record& make(const AddressKey& key, std::uint64_t now_ms);
  void forget(Record& record);
  [[nodiscard]] bool has_room(const AddressKey& key, std::uint64_t now_ms);
  void make_room(std::uint64_t now_ms);
  void raise_latest(std::uint64_t until_ms) noexcept;
  void reckon_latest() noexcept;
  void tell(const Record& record, std::uint64_t time_ms, std::uint64_t now_ms);

  /// Nobody is banned from then on.
  std::atomic<std::uint64_t> latest_ms{0};
  mutable std::mutex mutex;

  // Protected by the mutex
  Records records{0, KeyHash{Random().u64()}};
  bi::list<Record> recent;  // all but those banned by hand; heard of least recently comes first
  LogLimiter log_limiter;
};

Record* Bans::Impl::find(const AddressKey& key) const {
  const auto found = records.find(key);
  return found == records.end() ? nullptr : found->second.get();
}

/// False: all are banned by hand, and this address is not among them.
bool Bans::Impl::has_room(const AddressKey& key, std::uint64_t now_ms) {
  if (records.size() < kAddressesMax || !recent.empty() || find(key) != nullptr) return true;
  erase_if(records, [now_ms](const auto& entry) { return !entry.second->is_banned(now_ms); });
  return records.size() < kAddressesMax;
}

/// The record of the address, as the one that was heard of most recently.
Record& Bans::Impl::make(const AddressKey& key, std::uint64_t now_ms) {
  Record* known = find(key);
  if (known != nullptr && !known->is_banned(now_ms) && known->forget_ms <= now_ms) {
    forget(*known);
    known = nullptr;
  }
  if (known == nullptr) {
    make_room(now_ms);
    known = records.emplace(key, std::make_unique<Record>(key)).first->second.get();
  }
  if (known->is_linked()) recent.erase(recent.iterator_to(*known));
  if (!known->by_hand) recent.push_back(*known);
  return *known;
}

void Bans::Impl::forget(Record& record) {
  if (record.is_linked()) recent.erase(recent.iterator_to(record));
  const AddressKey key = record.key;
  records.erase(key);
}

void Bans::Impl::make_room(std::uint64_t now_ms) {
  for (int look = 0; look < kLooks && !recent.empty(); ++look) {
    Record& oldest = recent.front();
    const bool old = !oldest.is_banned(now_ms) && oldest.forget_ms <= now_ms;
    if (!old && records.size() < kAddressesMax) return;
    forget(oldest);
  }
}

void Bans::Impl::raise_latest(std::uint64_t until_ms) noexcept {
  const std::uint64_t latest = latest_ms.load(std::memory_order_relaxed);
  latest_ms.store(std::max(latest, until_ms), std::memory_order_relaxed);
}

void Bans::Impl::reckon_latest() noexcept {
  std::uint64_t latest = 0;
  for (const auto& [key, record] : records)
    latest = std::max(latest, record->until_ms);
  latest_ms.store(latest, std::memory_order_relaxed);
}

void Bans::Impl::tell(const Record& record, std::uint64_t time_ms, std::uint64_t now_ms) {
  const auto verdict = log_limiter.ask(now_ms);
  if (!verdict.allowed) return;
  const std::string address = record.key.text();
  log::warn("auth", cat(address, " is banned for ", time_text(time_ms),
                        " for too many wrong logins (auth.ban); `linnet ban lift ", address,
                        "` ends that", more_like_it(verdict)));
}

Bans::Bans() : impl_(std::make_unique<Impl>()) {}

Bans::~Bans() = default;

bool Bans::is_banned(const net::Endpoint& address, std::uint64_t now_ms) const noexcept {
  if (now_ms >= impl_->latest_ms.load(std::memory_order_relaxed)) return false;
  const auto key = AddressKey::of(address);
  if (!key) return false;
  const std::lock_guard lock(impl_->mutex);
  const Record* record = impl_->find(*key);
  return record != nullptr && record->is_banned(now_ms);
}

std::uint64_t Bans::on_wrong_login(const net::Endpoint& address, const BanConfig& terms,
                                   std::uint64_t now_ms) {
  const auto key = AddressKey::of(address);
  if (terms.after == 0 || !key || address.is_loopback()) return 0;
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->has_room(*key, now_ms)) return 0;
  Record& record = impl_->make(*key, now_ms);
  if (record.is_banned(now_ms)) return 0;
  if (record.by_hand) {
    record.by_hand = false;
    impl_->recent.push_back(record);
  }
  if (now_ms >= record.window_ends_ms) {
    record.window_ends_ms = now_ms + ms_of(terms.window);
    record.wrong = 0;
  }
  record.forget_ms = std::max(record.forget_ms, now_ms + ms_of(terms.window));
  if (++record.wrong < terms.after) return 0;
  const std::uint64_t time_ms = ban_ms(terms, record.times);
  if (record.times < std::numeric_limits<std::uint32_t>::max()) ++record.times;
  record.window_ends_ms = 0;
  record.until_ms = now_ms + time_ms;
  record.forget_ms = std::max(record.forget_ms, record.until_ms + kRemembered * time_ms);
  impl_->raise_latest(record.until_ms);
  impl_->tell(record, time_ms, now_ms);
  return time_ms;
}

std::string Bans::add(const net::Endpoint& address, std::uint64_t time_ms, std::uint64_t now_ms) {
  const auto key = AddressKey::of(address);
  if (!key) return "only an IPv4 or IPv6 address can be banned";
  if (address.is_loopback()) {
    return cat(address.address_text(),
               " is this machine itself and is never banned; listener.deny can refuse it");
  }
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->has_room(*key, now_ms)) {
    return cat("there are ", kAddressesMax,
               " addresses banned by hand; lift some, or refuse whole networks by listener.deny");
  }
  Record& record = impl_->make(*key, now_ms);
  if (record.is_linked()) impl_->recent.erase(impl_->recent.iterator_to(record));
  record.by_hand = true;
  record.until_ms = time_ms == 0 ? kForever : now_ms + std::min(time_ms, kForever - now_ms);
  impl_->raise_latest(record.until_ms);
  return {};
}

bool Bans::lift(const net::Endpoint& address, std::uint64_t now_ms) {
  const auto key = AddressKey::of(address);
  if (!key) return false;
  const std::lock_guard lock(impl_->mutex);
  Record* record = impl_->find(*key);
  if (record == nullptr) return false;
  const bool banned = record->is_banned(now_ms);
  const bool was_latest = record->until_ms >= impl_->latest_ms.load(std::memory_order_relaxed);
  impl_->forget(*record);
  if (was_latest) impl_->reckon_latest();
  return banned;
}

std::size_t Bans::lift_all(std::uint64_t now_ms) {
  const std::lock_guard lock(impl_->mutex);
  const auto banned =
      std::count_if(impl_->records.begin(), impl_->records.end(),
                    [now_ms](const auto& entry) { return entry.second->is_banned(now_ms); });
  impl_->recent.clear();
  impl_->records.clear();
  impl_->reckon_latest();
  return static_cast<std::size_t>(banned);
}

std::vector<Ban> Bans::list(std::uint64_t now_ms) const {
  std::vector<std::pair<std::uint64_t, Ban>> found;
  {
    const std::lock_guard lock(impl_->mutex);
    for (const auto& [key, record] : impl_->records) {
      if (!record->is_banned(now_ms)) continue;
      const std::uint64_t left_ms = record->until_ms == kForever ? 0 : record->until_ms - now_ms;
      found.push_back({record->until_ms, {key.text(), left_ms, record->times, record->by_hand}});
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first, a.second.address) < std::tie(b.first, b.second.address);
  });
  std::vector<Ban> bans;
  bans.reserve(found.size());
  for (auto& [until_ms, ban] : found)
    bans.push_back(std::move(ban));
  return bans;
}

}  // namespace linnet::auth
