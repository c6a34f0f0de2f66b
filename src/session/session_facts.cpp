#include "session/session_facts.hpp"

#include "base/cat.hpp"
#include "base/log.hpp"
#include "session/connection.hpp"
#include "session/session.hpp"

namespace linnet::session {

SessionFacts Session::facts() const {
  SessionFacts facts;
  facts.client_id = client_id();
  facts.user = user_name();
  facts.expiry_s = expiry_s_;
  facts.subscriptions = subscriptions_.size + memberships_.size();
  facts.inflight = inflight_.active();
  facts.backlog_messages = backlog_.size();
  facts.backlog_bytes = backlog_.bytes();
  facts.dropped = dropped_;
  if (connection_ != nullptr) connection_->add_facts(facts);
  return facts;
}

std::vector<SubscriptionFacts> Session::filters(std::size_t max) const {
  std::vector<SubscriptionFacts> filters;
  memberships_.for_each([&](const Membership& one) {
    if (filters.size() >= max) return;
    filters.push_back({cat("$share/", one.group, '/', one.filter), one.terms.qos});
  });
  for (const router::Subscription* one = subscriptions_.first;
       one != nullptr && filters.size() < max; one = router::Router::next_of(*one)) {
    filters.push_back({services_.router.filter_of(*one), router::Router::terms_of(*one).qos});
  }
  return filters;
}

std::uint64_t Session::burden() const noexcept {
  const std::uint64_t outbox = connection_ == nullptr ? 0 : connection_->outbox_bytes();
  return outbox + backlog_.bytes() + dropped_;
}

std::uint64_t Connection::outbox_bytes() const noexcept {
  return link_ == nullptr ? 0 : link_->outbox().size();
}

void Connection::add_facts(SessionFacts& facts) const {
  facts.connected = true;
  facts.version = name_of(version_);
  facts.keep_alive_s = keep_alive_s_;
  facts.outbox_bytes = outbox_bytes();
  if (link_ != nullptr) {
    facts.address = link_->peer();
    facts.listener = link_->listener().url;
  }
  if (reading_) return;
  facts.waits_for = parked_     ? "room for its message"
                    : held_     ? "memory"
                    : slowed_   ? "its rate"
                    : stopping_ ? "the broker's end"
                                : "its answers to be taken";
}

void Connection::kick() {
  if (state_ == State::closed) return;
  const boost::intrusive_ptr<Connection> self(this);
  log::info("session", cat(name(), " is disconnected by an administrator"));
  send_disconnect(ReasonCode::administrative_action, "an administrator has ended the connection");
  finish(net::CloseMode::flush, Farewell::lost);
}

}  // namespace linnet::session
