// The life of a shard: links and sessions come and go, turns begin and end, the broker stops.
#include "shard/shard.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

#include "base/assert.hpp"
#include "base/cat.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"

namespace linnet::shard {

namespace {

/// Wills that wait for room at other shards; beyond this many the oldest are given up.
constexpr std::size_t kLaterMax = 1024;
/// Connections beyond limits.connections_max that are still told why they are refused.
constexpr std::uint32_t kWithoutPlaceMax = 64;
/// Links without a connection that are still being closed.
constexpr std::size_t kLingeringMax = 512;

}  // namespace

Shard::Shard(ShardId id, ShardId shards, const Common& common, std::uint64_t now_ms)
    : id_(id),
      shards_(shards),
      common_(common),
      store_(common.store),
      timers_(now_ms),
      reactor_(timers_, link_counters_),
      gate_(common.gate, reactor_, id, common.settings->policy),
      services_{common.settings, gate_,  router_,       timers_,
                counters_,       forms_, random_,       log_limiter_,
                denial_limiter_, *this,  common.memory, common.store},
      sessions_(0, ClientIdHash{random_.u64()}),
      outgoing_(shards),
      answers_(shards),
      outgoing_bytes_(shards),
      pressure_timer_(Timer::calling<&Shard::on_pressure_timer>(*this)),
      calm_timer_(Timer::calling<&Shard::on_calm>(*this)),
      sys_topics_(now_ms),
      sys_timer_(Timer::calling<&Shard::on_sys_timer>(*this)),
      observers_(id),
      stop_timer_(Timer::calling<&Shard::on_stop_timer>(*this)) {
  LINNET_ASSERT(shards >= 1 && shards <= router::kShardsMax && id < shards);
  reactor_.follow(common.memory);
  limit_caches(false);
  own();
}

Shard::~Shard() {
  end();
}

void Shard::end() {
  own();
  stop_ = Stop::done;
  close_connections();
  while (!sessions_.empty()) {
    const session::SessionPtr session = *sessions_.begin();
    session->abandon();
  }
  for (const auto& [key, group] : groups_) {
    router_.unsubscribe(*group->subscriptions().first, group->subscriptions());
  }
  groups_.clear();
}

void Shard::assert_owner() const noexcept {
  LINNET_ASSERT(owner_ == std::this_thread::get_id());
}

void Shard::post(ShardId shard, Letter letter, std::size_t bytes) {
  LINNET_ASSERT(shard < shards_ && shard != id_);
  auto& letters = std::holds_alternative<AnswerLetter>(letter) ? answers_ : outgoing_;
  letters[shard].push_back(std::move(letter));
  has_outgoing_ = true;
  outgoing_bytes_[shard] += bytes;
}

void Shard::accept(std::unique_ptr<net::Link> link) {
  assert_owner();
  if (stop_ != Stop::running) return;
  const bool has_memory = common_.memory.level() < Pressure::refuse_connections;
  const bool has_place = has_memory && common_.connections.take();
  if (!has_place && without_place_ >= kWithoutPlaceMax) {
    const auto verdict = log_limiter_.ask(timers_.now_ms());
    if (verdict.allowed) {
      const std::string why =
          has_memory ? cat("there are limits.connections_max = ", config().limits.connections_max,
                           " connections; raise it")
                     : cat("memory_max is used up: ", used_text(common_.memory), "; raise it");
      log::warn("shard", cat("closed ", link->peer(), ": ", why, more_like_it(verdict)));
    }
    return;
  }
  if (!has_place) ++without_place_;
  ++counters_.sockets_total;
  serve(std::move(link), {nullptr, has_place});
}

void Shard::on(LinkLetter letter) {
  // Its place among limits.connections_max has moved with it.
  serve(std::move(letter.link), {std::move(letter.login), true});
}

void Shard::serve(std::unique_ptr<net::Link> link, session::Arrival arrival) {
  net::Link& kept = *link;
  const bool goes_on = arrival.login != nullptr;
  kept.join(std::move(link), reactor_);
  session::ConnectionPtr connection(new session::Connection(kept, services_, std::move(arrival)));
  connection->set_index(static_cast<std::uint32_t>(connections_.size()));
  connections_.push_back(connection.get());
  if (stop_ != Stop::running) connection->stop_reading();
  auto* served = connection.detach();  // the table owns it: forget_connection() gives it back
  if (stop_ == Stop::closing) return served->shut_down();
  if (goes_on) served->go_on_connecting();
}

void Shard::forget_connection(session::Connection& connection) {
  const std::uint32_t index = connection.index();
  if (index >= connections_.size() || connections_[index] != &connection) return;
  connections_[index] = connections_.back();
  connections_[index]->set_index(index);
  connections_.pop_back();
  const session::ConnectionPtr owned(&connection, false);
  if (connection.moved()) return;
  if (connection.has_place()) {
    common_.connections.give_back();
  } else {
    --without_place_;
  }
}

session::Session* Shard::find_session(std::string_view client_id) {
  assert_owner();
  const auto found = sessions_.find(client_id);
  return found == sessions_.end() ? nullptr : found->get();
}

session::Session& Shard::create_session(std::string_view client_id) {
  session::SessionPtr session(new session::Session(client_id, services_));
  auto& made = *session;
  const bool inserted = sessions_.insert(std::move(session)).second;
  LINNET_ASSERT(inserted);
  return made;
}

void Shard::restore(const store::StoredSession& stored) {
  assert_owner();
  if (find_session(stored.client_id) != nullptr) {  // only a store that was mended by hand has two
    log::error("shard", cat("the store has two sessions of the client \"", stored.client_id,
                            "\"; the second one is ended"));
    return save(store::EraseSession{stored.number}, 0);
  }
  create_session(stored.client_id).restore(stored);
}

void Shard::forget_session(session::Session& session) {
  const auto found = sessions_.find(session.client_id());
  LINNET_ASSERT(found != sessions_.end() && found->get() == &session);
  const session::SessionPtr owned = *found;  // it must not die before its entry, whose key it has
  sessions_.erase(found);
}

bool Shard::may_linger() const noexcept {
  return reactor_.links() < connections_.size() + kLingeringMax;
}

bool Shard::is_home(std::string_view client_id) const noexcept {
  return alone() || home_of(client_id, shards_) == id_;
}

void Shard::move_home(session::Connection& connection, std::string_view client_id) {
  moves_.push_back({&connection, home_of(client_id, shards_)});
}

void Shard::pump_later(session::Session& session) {
  pumps_.emplace_back(&session);
}

void Shard::review_later(session::Session& session) {
  reviewed_sessions_.emplace_back(&session);
}

void Shard::park(session::Connection& connection) {
  parked_.emplace_back(&connection);
}

bool Shard::work() {
  assert_owner();
  auto& mailbox = common_.post.mailbox(id_);
  const std::size_t letters = mailbox.drain(
      [this](Letter&& letter) { std::visit([this](auto& one) { on(std::move(one)); }, letter); });
  if (letters > 0) {
    for (std::uint64_t waiters = mailbox.take_waiters(); waiters != 0; waiters &= waiters - 1) {
      post(static_cast<ShardId>(std::countr_zero(waiters)), RoomLetter{});
    }
  }
  std::vector<Move> moves;
  moves.swap(moves_);
  for (Move& move : moves) {
    if (move.connection->closed()) continue;
    auto login = move.connection->give_login();
    post(move.home, LinkLetter{move.connection->give_link(), std::move(login)});
  }
  if (room_)
    std::move(pumps_with_room_.begin(), pumps_with_room_.end(), std::back_inserter(pumps_));
  if (room_) pumps_with_room_.clear();
  publish_parked();
  std::vector<session::SessionPtr> pumps;
  pumps.swap(pumps_);
  for (const auto& session : pumps)
    session->on_turn();
  review_some();
  spill_some();
  answer_some();
  check_stop();
  look_at_memory();
  post_outgoing();
  return letters > 0 || !pumps.empty();
}

void Shard::post_outgoing() {
  if (std::exchange(submitted_, false)) store_.end_turn(id_);
  if (!std::exchange(has_outgoing_, false)) return;
  for (ShardId shard = 0; shard < shards_; ++shard) {
    if (outgoing_[shard].empty()) continue;
    common_.post.mailbox(shard).post_all(outgoing_[shard], outgoing_bytes_[shard]);
    outgoing_bytes_[shard] = 0;
  }
  // Answers last: who reads one may ask a third shard, and must find there what was posted before.
  for (ShardId shard = 0; shard < shards_; ++shard) {
    if (!answers_[shard].empty()) common_.post.mailbox(shard).post_all(answers_[shard], 0);
  }
}

/// What had to wait for room tries again.
void Shard::publish_parked() {
  if (!std::exchange(room_, false)) return;
  std::vector<MessagePtr> later;
  later.swap(later_);
  for (MessagePtr& message : later)
    publish_later(std::move(message));
  std::vector<session::ConnectionPtr> parked;
  parked.swap(parked_);
  for (const auto& connection : parked)
    connection->on_room();
}

void Shard::publish_later(MessagePtr message) {
  LINNET_ASSERT(!publishing_);
  Publication publication(std::move(message));
  const auto published = publish(publication, {});
  if (published.state != session::Published::State::no_room) return;
  if (later_.size() >= kLaterMax) {
    later_.erase(later_.begin());
    ++counters_.publish_dropped;
  }
  later_.push_back(publication.keep());
}

int Shard::wait_ms() const noexcept {
  // What the flush at the end of the last turn has left to do.
  if (submitted_ || has_outgoing_ || !moves_.empty() || !pumps_.empty() || room_) return 0;
  if (spilling_ || !reloads_.empty() || !reviewed_sessions_.empty() ||
      !reviewed_connections_.empty())
    return 0;
  if (common_.post.mailbox(id_).size() > 0 || inquires()) return 0;
  if (stop_ == Stop::closing && reactor_.links() == 0) return 0;
  const auto next = timers_.next_ms();
  if (!next) return -1;
  const std::uint64_t now = timers_.now_ms();
  if (*next <= now) return 0;
  return static_cast<int>(std::min<std::uint64_t>(*next - now, 3'600'000));
}

void Shard::on(const StopLetter&) {
  if (stop_ != Stop::running) return;
  stop_ = Stop::saying;
  for (session::Connection* connection : connections_)
    connection->stop_reading();
  std::vector<session::SessionPtr> sessions;
  for (const session::SessionPtr& session : sessions_)
    sessions.push_back(session);
  for (const auto& session : sessions)
    session->publish_undelayed_will();
  for (ShardId shard = 0; shard < shards_; ++shard) {
    if (shard != id_) post(shard, StoppedLetter{id_});
  }
  const auto timeout = static_cast<std::uint64_t>(config().limits.shutdown_timeout.count());
  // Half of the time for what others owe us, half for sending what we owe.
  timers_.arm(stop_timer_, timers_.now_ms() + timeout / 2);
}

void Shard::on(const StoppedLetter&) {
  ++stopped_others_;
}

void Shard::check_stop() {
  if (stop_ == Stop::saying && stopped_others_ + 1 == shards_ && operations_.open_count() == 0) {
    stop_ = Stop::closing;
    close_connections();
  }
  if (stop_ == Stop::closing && reactor_.links() == 0) stop_ = Stop::done;
}

void Shard::on_stop_timer() {
  if (stop_ == Stop::closing) {
    stop_ = Stop::done;
    return;
  }
  stop_ = Stop::closing;
  close_connections();
  const auto timeout = static_cast<std::uint64_t>(config().limits.shutdown_timeout.count());
  timers_.arm(stop_timer_, timers_.now_ms() + timeout / 2);
}

void Shard::close_connections() {
  std::vector<session::ConnectionPtr> connections;
  for (session::Connection* connection : connections_)
    connections.emplace_back(connection);
  for (const auto& connection : connections)
    connection->shut_down();
}

void Shard::on(const RollCallLetter& letter) {
  letter.call->answer(counters_now(), services_.settings);
}

Counters Shard::counters_now() const noexcept {
  Counters counters = counters_;
  counters.bytes_received = link_counters_.bytes_received;
  counters.bytes_sent = link_counters_.bytes_sent;
  counters.sockets = connections_.size();
  return counters;
}

}  // namespace linnet::shard
