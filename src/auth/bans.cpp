#include "auth/bans.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <tuple>
#include <utility>

#include <boost/intrusive/set.hpp>
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
/// How many that may be forgotten are looked for whenever a new one comes.
constexpr int kLooks = 2;

struct KeyHash {
  std::uint64_t seed = 0;
  std::size_t operator()(const AddressKey& key) const noexcept {
    return static_cast<std::size_t>(hash64(key.bytes(), seed));
  }
};

/// What is known of an address.
struct Record : bi::set_base_hook<> {
  explicit Record(const AddressKey& its_key) noexcept : key(its_key) {}

  [[nodiscard]] bool is_banned(std::uint64_t now_ms) const noexcept { return now_ms < until_ms; }

  AddressKey key;
  std::uint64_t window_ends_ms = 0;  // of the wrong logins that are being counted
  std::uint64_t until_ms = 0;        // of the last ban; 0: there was none
  std::uint64_t forget_ms = 0;
  /// Of a network of IPv6, the end of the window of its site that has counted it.
  std::uint64_t site_window_ends_ms = 0;
  std::uint32_t wrong = 0;
  std::uint32_t times = 0;
  bool by_hand = false;
};

/// The one with the least time left comes first; of equals, the one that was heard of first.
struct LessTime {
  bool operator()(const Record& a, const Record& b) const noexcept {
    return a.forget_ms < b.forget_ms;
  }
};
using ByTime = bi::multiset<Record, bi::compare<LessTime>>;

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

/// A site may be many strangers, so that its bans do not get longer.
BanConfig site_terms(const BanConfig& terms) noexcept {
  return {Bans::kSiteBans, terms.window, terms.time, std::min(terms.time, terms.time_max)};
}

std::string time_text(std::uint64_t time_ms) {
  const std::uint64_t seconds = (time_ms + 999) / 1000;
  return seconds < 120 ? cat(seconds, " s") : cat((seconds + 59) / 60, " min");
}

}  // namespace

struct Bans::Impl {
  using Records = boost::unordered_flat_map<AddressKey, std::unique_ptr<Record>, KeyHash>;

  [[nodiscard]] Record* find(const AddressKey& key) const;
  [[nodiscard]] bool is_banned(const AddressKey& key, std::uint64_t now_ms) const;
  [[nodiscard]] ByTime& set_of(const Record& record) noexcept;
  void file(Record& record);
  void take_out(Record& record);
  std::uint64_t count(const AddressKey& key, const BanConfig& terms, std::uint64_t now_ms);
  void count_at_site(const AddressKey& key, const AddressKey& site, const BanConfig& terms,
                     std::uint64_t now_ms);
  bool lift(const AddressKey& key, std::uint64_t now_ms);
  [[nodiscard]] Record* weakest() noexcept;
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
  // All but those banned by hand
  ByTime guessers;  // that have not been banned yet
  ByTime banned;    // once at least
  LogLimiter log_limiter;
};

Record* Bans::Impl::find(const AddressKey& key) const {
  const auto found = records.find(key);
  return found == records.end() ? nullptr : found->second.get();
}

bool Bans::Impl::is_banned(const AddressKey& key, std::uint64_t now_ms) const {
  const Record* record = find(key);
  return record != nullptr && record->is_banned(now_ms);
}

ByTime& Bans::Impl::set_of(const Record& record) noexcept {
  return record.times == 0 ? guessers : banned;
}

void Bans::Impl::file(Record& record) {
  set_of(record).insert(record);
}

/// Before anything of it changes that decides where it stands.
void Bans::Impl::take_out(Record& record) {
  if (record.is_linked()) set_of(record).erase(set_of(record).iterator_to(record));
}

/// Whom to forget first; null: all are banned by hand.
Record* Bans::Impl::weakest() noexcept {
  if (guessers.size() >= kGuessersMin || banned.empty())
    return guessers.empty() ? nullptr : &*guessers.begin();
  return &*banned.begin();
}

/// False: all are banned by hand, and this address is not among them.
bool Bans::Impl::has_room(const AddressKey& key, std::uint64_t now_ms) {
  if (records.size() < kAddressesMax || weakest() != nullptr || find(key) != nullptr) return true;
  erase_if(records, [now_ms](const auto& entry) { return !entry.second->is_banned(now_ms); });
  return records.size() < kAddressesMax;
}

/// The record of the address, which the caller files again.
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
  take_out(*known);
  return *known;
}

void Bans::Impl::forget(Record& record) {
  take_out(record);
  const AddressKey key = record.key;
  records.erase(key);
}

void Bans::Impl::make_room(std::uint64_t now_ms) {
  for (ByTime* set : {&guessers, &banned}) {
    for (int look = 0; look < kLooks && !set->empty(); ++look) {
      if (set->begin()->forget_ms > now_ms) break;
      forget(*set->begin());
    }
  }
  if (Record* record = weakest(); record != nullptr && records.size() >= kAddressesMax)
    forget(*record);
}

/// One wrong login more, or of a site one banned network.
std::uint64_t Bans::Impl::count(const AddressKey& key, const BanConfig& terms,
                                std::uint64_t now_ms) {
  if (!has_room(key, now_ms)) return 0;
  Record& record = make(key, now_ms);
  record.by_hand = false;  // that has ended
  if (now_ms >= record.window_ends_ms) {
    record.window_ends_ms = now_ms + ms_of(terms.window);
    record.wrong = 0;
  }
  record.forget_ms = std::max(record.forget_ms, now_ms + ms_of(terms.window));
  std::uint64_t time_ms = 0;
  if (++record.wrong >= terms.after) {
    time_ms = ban_ms(terms, record.times);
    if (record.times < std::numeric_limits<std::uint32_t>::max()) ++record.times;
    record.window_ends_ms = 0;
    record.until_ms = now_ms + time_ms;
    record.forget_ms = std::max(record.forget_ms, record.until_ms + kRemembered * time_ms);
    raise_latest(record.until_ms);
    tell(record, time_ms, now_ms);
  }
  file(record);
  return time_ms;
}

/// A network was banned: it counts once in each window of its site.
void Bans::Impl::count_at_site(const AddressKey& key, const AddressKey& site,
                               const BanConfig& terms, std::uint64_t now_ms) {
  const Record* network = find(key);
  const Record* whole = find(site);
  if (network != nullptr && whole != nullptr && now_ms < whole->window_ends_ms &&
      network->site_window_ends_ms == whole->window_ends_ms) {
    return;
  }
  (void)count(site, site_terms(terms), now_ms);
  whole = find(site);
  // Another look, since the site may have taken its place.
  if (Record* left = find(key); left != nullptr && whole != nullptr)
    left->site_window_ends_ms = whole->window_ends_ms;
}

bool Bans::Impl::lift(const AddressKey& key, std::uint64_t now_ms) {
  Record* record = find(key);
  if (record == nullptr) return false;
  const bool was_banned = record->is_banned(now_ms);
  const bool was_latest = record->until_ms >= latest_ms.load(std::memory_order_relaxed);
  forget(*record);
  if (was_latest) reckon_latest();
  return was_banned;
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
  const auto site = key->site();
  const std::lock_guard lock(impl_->mutex);
  return impl_->is_banned(*key, now_ms) || (site && impl_->is_banned(*site, now_ms));
}

std::uint64_t Bans::on_wrong_login(const net::Endpoint& address, const BanConfig& terms,
                                   std::uint64_t now_ms) {
  const auto key = AddressKey::of(address);
  if (terms.after == 0 || !key || address.is_loopback()) return 0;
  const std::lock_guard lock(impl_->mutex);
  const auto site = key->site();
  if (impl_->is_banned(*key, now_ms) || (site && impl_->is_banned(*site, now_ms))) return 0;
  const std::uint64_t time_ms = impl_->count(*key, terms, now_ms);
  if (time_ms > 0 && site) impl_->count_at_site(*key, *site, terms, now_ms);
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
  record.by_hand = true;
  record.until_ms = time_ms == 0 ? kForever : now_ms + std::min(time_ms, kForever - now_ms);
  impl_->raise_latest(record.until_ms);
  return {};
}

bool Bans::lift(const net::Endpoint& address, std::uint64_t now_ms) {
  const auto key = AddressKey::of(address);
  if (!key) return false;
  const std::lock_guard lock(impl_->mutex);
  const bool lifted = impl_->lift(*key, now_ms);
  const auto site = key->site();
  return (site && impl_->lift(*site, now_ms)) || lifted;
}

std::size_t Bans::lift_all(std::uint64_t now_ms) {
  const std::lock_guard lock(impl_->mutex);
  const auto banned =
      std::count_if(impl_->records.begin(), impl_->records.end(),
                    [now_ms](const auto& entry) { return entry.second->is_banned(now_ms); });
  impl_->guessers.clear();
  impl_->banned.clear();
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
