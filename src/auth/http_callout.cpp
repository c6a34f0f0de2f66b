#include "auth/http_callout.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "auth/http_cache.hpp"
#include "auth/http_client.hpp"
#include "auth/http_json.hpp"
#include "auth/question_digest.hpp"
#include "base/cat.hpp"
#include "base/log.hpp"
#include "base/rate_limit.hpp"

namespace linnet::auth {

namespace {

constexpr std::size_t kCacheBytesMax = 16 << 20;
// An entry with its key and places; and by how much an answer grows when it is taken apart.
constexpr std::size_t kEntryBytes = 400;
constexpr std::size_t kGrowth = 8;

HttpAnswer copy_of(const HttpAnswer& answer) {
  return {answer.result, copy_of(answer.identity), answer.fault};
}

}  // namespace

struct HttpCallout::Impl final : net::FlushHandler {
  struct Waiter {
    Ticket ticket;
    OnAnswer on_answer;
  };
  /// A question that is asked, and all who want to know.
  struct Flight {
    QuestionKey key;
    std::uint64_t epoch = 0;
    std::string user_name;
    HttpClient* client = nullptr;
    HttpClient::Id id = 0;
    std::vector<Waiter> waiters;
  };
  /// An answer that needs no asking, told at the end of the turn.
  struct Ready {
    Ticket ticket;
    OnAnswer on_answer;
    HttpAnswer answer;
  };

  Impl(net::Reactor& its_reactor, const Clock& its_clock, net::Executor its_background)
      : reactor(its_reactor), clock(its_clock), background(std::move(its_background)) {}
  ~Impl() {
    if (will_flush) reactor.forget_flush(*this);
  }

  [[nodiscard]] std::uint64_t now_s() const noexcept {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, clock.wall_ms())) / 1000;
  }

  Ticket ask(const HttpServicePtr& service, const HttpQuestion& question, OnAnswer on_answer);
  void use(const HttpServicePtr& service);
  void fly(const QuestionKey& key, const Secret& json, const HttpQuestion& question);
  void land(const QuestionKey& key, HttpClient::Outcome outcome);
  void remember(const Flight& flight, const HttpVerdict& verdict, std::size_t body_size);
  void tell_later(Ticket ticket, OnAnswer on_answer, HttpAnswer answer);
  void flush_soon();
  void on_flush() override;
  void forget(Ticket ticket) noexcept;
  void note(const HttpService& service, const HttpAnswer& answer);

  net::Reactor& reactor;
  const Clock& clock;
  const net::Executor background;

  QuestionDigest digest;
  HttpCache cache{kRememberedMax, kCacheBytesMax};
  std::uint64_t epoch = 0;
  Ticket last_ticket = 0;

  /// The last is the present service's; those before it end with what is under way.
  std::vector<std::unique_ptr<HttpClient>> clients;
  std::unordered_map<QuestionKey, Flight, QuestionKeyHash> flights;
  std::unordered_map<Ticket, QuestionKey> tickets;  // of those who wait for a flight
  std::vector<Ready> ready;
  std::vector<Ready> ready_now;
  bool will_flush = false;

  LogLimiter limiter{1};
  bool down = false;
};

HttpCallout::Ticket HttpCallout::Impl::ask(const HttpServicePtr& service,
                                           const HttpQuestion& question, OnAnswer on_answer) {
  use(service);
  const Ticket ticket = ++last_ticket;
  const Secret json = question_json(question);
  const QuestionKey key = digest.of(epoch, json.view());
  if (const Identity* known = cache.find(key, reactor.now_ms(), now_s()); known != nullptr) {
    tell_later(ticket, std::move(on_answer), {HttpAnswer::Result::allow, copy_of(*known), {}});
    return ticket;
  }
  auto flight = flights.find(key);
  const bool full =
      tickets.size() >= service->questions_max() || flights.size() >= service->questions_max();
  if (full && (flight == flights.end() || tickets.size() >= service->questions_max())) {
    tell_later(ticket, std::move(on_answer),
               {HttpAnswer::Result::unavailable,
                {},
                cat("the queue of ", service->url(), " is full (auth.login_queue_max)")});
    return ticket;
  }
  if (flight == flights.end()) {
    fly(key, json, question);
    flight = flights.find(key);
  }
  flight->second.waiters.push_back({ticket, std::move(on_answer)});
  tickets.emplace(ticket, key);
  return ticket;
}

/// Makes it the present service.
void HttpCallout::Impl::use(const HttpServicePtr& service) {
  if (!clients.empty() && &clients.back()->service() == service.get()) return;
  ++epoch;
  cache.clear();
  down = false;
  clients.push_back(std::make_unique<HttpClient>(reactor, service, background));
  flush_soon();
}

void HttpCallout::Impl::fly(const QuestionKey& key, const Secret& json,
                            const HttpQuestion& question) {
  HttpClient& client = *clients.back();
  const auto id = client.post(
      json.view(), [this, key](HttpClient::Outcome outcome) { land(key, std::move(outcome)); });
  flights.emplace(key, Flight{key, epoch, question.user_name, &client, id, {}});
}

void HttpCallout::Impl::land(const QuestionKey& key, HttpClient::Outcome outcome) {
  const auto found = flights.find(key);
  const Flight flight = std::move(found->second);
  flights.erase(found);
  const HttpService& service = flight.client->service();
  HttpVerdict verdict;
  if (outcome.status == 0) {
    verdict.answer.fault = std::move(outcome.fault);
  } else {
    verdict = read_response(outcome.status, outcome.body,
                            {flight.user_name, now_s(), service.cache_ms()});
  }
  HttpAnswer& answer = verdict.answer;
  if (!answer.fault.empty()) answer.fault = cat(service.url(), ' ', answer.fault);
  note(service, answer);
  remember(flight, verdict, outcome.body.size());
  flush_soon();
  // One after the other, since each may ask and forget: also those who come later.
  for (const Waiter& waiter : flight.waiters) {
    if (tickets.erase(waiter.ticket) == 1) waiter.on_answer(copy_of(answer));
  }
}

void HttpCallout::Impl::remember(const Flight& flight, const HttpVerdict& verdict,
                                 std::size_t body_size) {
  const bool is_yes = verdict.answer.result == HttpAnswer::Result::allow;
  // Who did not wait may be guessing: the next try must not learn from the cache that it was right.
  const bool awaited = !flight.waiters.empty();
  if (!is_yes || !awaited || verdict.remember_ms == 0 || flight.epoch != epoch) return;
  cache.put({.key = flight.key,
             .identity = copy_of(verdict.answer.identity),
             .ends_ms = reactor.now_ms() + verdict.remember_ms,
             .weight = kEntryBytes + flight.user_name.size() + kGrowth * body_size});
}

void HttpCallout::Impl::note(const HttpService& service, const HttpAnswer& answer) {
  if (answer.result != HttpAnswer::Result::unavailable) {
    if (std::exchange(down, false)) log::info("auth", cat(service.url(), " answers again"));
    return;
  }
  down = true;
  const auto verdict = limiter.ask(reactor.now_ms());
  if (verdict.allowed)
    log::warn("auth", cat(answer.fault, "; who is asked about is refused", more_like_it(verdict)));
}

void HttpCallout::Impl::tell_later(Ticket ticket, OnAnswer on_answer, HttpAnswer answer) {
  ready.push_back({ticket, std::move(on_answer), std::move(answer)});
  flush_soon();
}

void HttpCallout::Impl::flush_soon() {
  if (will_flush) return;
  will_flush = true;
  reactor.flush_later(*this);
}

void HttpCallout::Impl::on_flush() {
  will_flush = false;
  ready_now.swap(ready);
  // By index, since forget() may take an answer away.
  for (std::size_t at = 0; at < ready_now.size(); ++at) {
    const OnAnswer tell = std::move(ready_now[at].on_answer);
    ready_now[at].ticket = 0;
    if (tell) tell(std::move(ready_now[at].answer));
  }
  ready_now.clear();
  for (std::size_t at = 0; at + 1 < clients.size();) {
    if (clients[at]->is_idle()) {
      clients.erase(clients.begin() + static_cast<std::ptrdiff_t>(at));
    } else {
      ++at;
    }
  }
}

void HttpCallout::Impl::forget(Ticket ticket) noexcept {
  if (ticket == 0) return;
  std::erase_if(ready, [ticket](const Ready& each) { return each.ticket == ticket; });
  for (Ready& each : ready_now) {
    if (each.ticket == ticket) each.on_answer = nullptr;
  }
  const auto found = tickets.find(ticket);
  if (found == tickets.end()) return;
  const auto flight = flights.find(found->second);
  tickets.erase(found);
  // Those of a flight that lands just now are told by their tickets.
  if (flight == flights.end()) return;
  auto& waiters = flight->second.waiters;
  std::erase_if(waiters, [ticket](const Waiter& each) { return each.ticket == ticket; });
  // What is on its way is read to its end, which keeps the connection.
  if (waiters.empty() && flight->second.client->withdraw(flight->second.id)) flights.erase(flight);
}

HttpCallout::HttpCallout(net::Reactor& reactor, const Clock& clock, net::Executor background)
    : impl_(std::make_unique<Impl>(reactor, clock, std::move(background))) {}

HttpCallout::~HttpCallout() = default;

HttpCallout::Ticket HttpCallout::ask(const HttpServicePtr& service, const HttpQuestion& question,
                                     OnAnswer on_answer) {
  return impl_->ask(service, question, std::move(on_answer));
}

void HttpCallout::forget(Ticket ticket) noexcept {
  impl_->forget(ticket);
}

void HttpCallout::squeeze(bool is_short) noexcept {
  impl_->cache.squeeze(is_short);
}

void HttpCallout::clear() {
  ++impl_->epoch;
  impl_->cache.clear();
}

}  // namespace linnet::auth
