// The gate: who may connect. One per shard, its thread only. What can be decided from what is known
// is decided at once; a password is verified by the worker thread and a service is asked by HTTP,
// and then the applicant is told later.
//
//   const auto begun = gate.admit(facts, *this);
//   if (begun.decided) return finish(*begun.decided);
//   ticket_ = begun.ticket;             // on_admission() follows, unless forget(ticket_) comes
//   first
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/accounts.hpp"
#include "auth/bans.hpp"
#include "auth/http_callout.hpp"
#include "auth/login.hpp"
#include "auth/policy.hpp"
#include "base/clock.hpp"
#include "net/background.hpp"
#include "net/endpoint.hpp"
#include "net/peer_facts.hpp"
#include "net/reactor.hpp"
#include <linnet/types.hpp>

namespace linnet::auth {

/// What is known of a client when it asks to be let in. Views: of a meaning during the call only.
struct ConnectFacts {
  std::string_view client_id;
  std::optional<std::string_view> user_name;
  std::optional<std::string_view> password;
  const net::PeerFacts& peer;
  const net::Endpoint& address;
  std::string_view listener;     // its URL
  bool allow_anonymous = false;  // its written word
  bool local = false;            // it can be reached from this machine alone
  Version version = Version::v3_1_1;
};

struct Admission {
  ReasonCode reason = ReasonCode::success;
  std::string text{};   // why not, for the log and the reason string
  std::string fault{};  // the same more exactly, for the log alone: it may tell which users exist
  Identity identity{};
};

/// Rules may refer to a client's certificate, however its user name was proven.
void add_certificate(Identity& identity, const net::PeerFacts& peer);

/// Who waits to be let in.
class Applicant {
 public:
  virtual void on_admission(Admission admission) = 0;

 protected:
  ~Applicant() = default;
};

/// What all shards' gates share. Outlives them.
struct GateParts {
  LoginQueue& logins;
  Bans& bans;
  Accounts& accounts;
  const Clock& clock = system_clock();
  /// Looks up the host of auth.http.url again; null: the addresses of the start stand.
  net::Background* lookups = nullptr;
  /// For users whom there are none of, see ScramServer: the same for all gates. Empty: one of the
  /// gate's own.
  std::string_view decoy_secret{};
};

class Gate {
 public:
  using Ticket = std::uint64_t;  // 0: none

  Gate(const GateParts& parts, net::Reactor& reactor, std::uint32_t shard, PolicyPtr policy);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate();

  [[nodiscard]] const PolicyPtr& policy() const noexcept { return policy_; }
  [[nodiscard]] Bans& bans() noexcept { return parts_.bans; }
  [[nodiscard]] Accounts& accounts() noexcept { return parts_.accounts; }
  [[nodiscard]] std::string_view decoy_secret() const noexcept { return decoy_secret_.view(); }
  /// Where wall time comes from.
  [[nodiscard]] const Clock& clock() const noexcept { return parts_.clock; }
  void use(PolicyPtr policy);
  /// While memory is short, less is remembered.
  void squeeze(bool is_short);

  struct Begun {
    std::optional<Admission> decided;
    Ticket ticket = 0;  // if nothing is decided
  };
  [[nodiscard]] Begun admit(const ConnectFacts& facts, Applicant& applicant);
  void forget(Ticket ticket) noexcept;
  /// The worker's answer.
  void on_verdict(LoginVerdict verdict);

  /// Whether a client without a user name may connect through such a listener.
  [[nodiscard]] bool admits_anonymous(bool allow_anonymous, bool local) const noexcept {
    return allow_anonymous || (local && !policy_->has_logins());
  }
  /// The door has let its connection in, but the address has been banned since: whoever opens many
  /// connections before the first wrong login gets no more guesses by it.
  [[nodiscard]] std::optional<Admission> refuse_banned(const net::Endpoint& address) const;
  /// Counts a wrong login; the address may be banned for it.
  void on_wrong_login(const net::Endpoint& address);

 private:
  struct Application;

  [[nodiscard]] std::optional<Admission> go_on(Application& application);
  [[nodiscard]] std::optional<Admission> try_method(Application& application, Method method);
  [[nodiscard]] std::optional<Admission> submit(Application& application, Method method);
  [[nodiscard]] std::optional<Admission> ask_service(Application& application);
  [[nodiscard]] Admission conclude(Application& application);
  void on_answer(Ticket ticket, HttpAnswer answer);
  void resume(Ticket ticket, std::optional<Admission> decided);

  const GateParts parts_;
  const Secret decoy_secret_;
  net::Reactor& reactor_;
  const std::uint32_t shard_;
  PolicyPtr policy_;
  HttpCallout http_;
  std::unordered_map<Ticket, std::unique_ptr<Application>> applications_;
  Ticket last_ticket_ = 0;
};

}  // namespace linnet::auth
