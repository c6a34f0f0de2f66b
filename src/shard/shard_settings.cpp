// New settings while the shard runs: they are used at once, and what exists already is looked at
// under them, some of it in each turn, so that nobody waits for a reload.
#include <utility>

#include "shard/shard.hpp"

namespace linnet::shard {

namespace {

/// Connections, sessions and subscriptions together.
constexpr std::size_t kReviewsPerTurn = 256;

}  // namespace

void Shard::on(VerdictLetter letter) {
  gate_.on_verdict(std::move(letter.verdict));
}

void Shard::on(SettingsLetter letter) {
  const bool other_interval = letter.settings->config.sys_interval != config().sys_interval;
  services_.settings = std::move(letter.settings);
  gate_.use(services_.settings->policy);
  if (letter.progress) reloads_.push_back(std::move(letter.progress));
  if (letter.task) letter.task->run();
  if (other_interval) update_sys_timer();
  begin_review();
}

void Shard::begin_review() {
  reviewed_members_.clear();
  reviewed_sessions_.clear();
  reviewed_connections_.clear();
  for (const session::SessionPtr& session : sessions_) {
    if (session->has_memberships()) reviewed_members_.push_back(session);
    reviewed_sessions_.push_back(session);
  }
  for (session::Connection* connection : connections_)
    reviewed_connections_.emplace_back(connection);
}

/// Members of shared groups come first: what they are given can't be withheld from them later. The
/// others are asked about each message until it is their turn.
void Shard::review_some() {
  if (reloads_.empty() && reviewed_sessions_.empty() && reviewed_connections_.empty()) return;
  std::size_t left = kReviewsPerTurn;
  while (left > 0 && !reviewed_members_.empty()) {
    --left;
    if (!reviewed_members_.front()->review_memberships(left)) break;
    reviewed_members_.pop_front();
  }
  for (; left > 0 && !reviewed_connections_.empty(); --left) {
    const auto connection = std::move(reviewed_connections_.back());
    reviewed_connections_.pop_back();
    if (!connection->closed()) connection->review();
  }
  while (left > 0 && !reviewed_sessions_.empty()) {
    --left;
    auto session = std::move(reviewed_sessions_.front());
    reviewed_sessions_.pop_front();
    // Who has much to look at, or to hand on, lets the others go first.
    if (!session->review(left)) reviewed_sessions_.push_back(std::move(session));
  }
  if (!reviewed_connections_.empty() || !reviewed_sessions_.empty()) return;
  for (const ReloadProgressPtr& reload : std::exchange(reloads_, {}))
    reload->done();
}

}  // namespace linnet::shard
