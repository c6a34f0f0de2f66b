#include "auth/gate.hpp"

#include <algorithm>
#include <utility>

#include "auth/decoy_secret.hpp"
#include "base/assert.hpp"
#include "base/cat.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"

namespace linnet::auth {

namespace {

/// In place of a call-out's ticket: the worker has been asked.
constexpr HttpCallout::Ticket kAskedWorker = ~HttpCallout::Ticket{0};
constexpr std::string_view kWrongLogin = "the user name or the password is wrong";

Admission refusal(ReasonCode reason, std::string text) {
  return {reason, std::move(text), {}, {}};
}

net::Executor executor_of(net::Background* lookups) {
  if (lookups == nullptr) return nullptr;
  return [lookups](std::function<void()> job) { (void)lookups->run(std::move(job)); };
}

std::unique_ptr<Grants> grants_of(const net::PeerFacts& peer) {
  const net::CertificateNames& names = peer.certificate;
  if (names.cn.empty() && names.subject.empty() && names.san.empty()) return nullptr;
  auto grants = std::make_unique<Grants>();
  grants->certificate = {names.cn, names.subject, names.san};
  return grants;
}

}  // namespace

void add_certificate(Identity& identity, const net::PeerFacts& peer) {
  auto grants = grants_of(peer);
  if (!grants) return;
  if (identity.grants) {
    grants->groups = identity.grants->groups;
    grants->rules = identity.grants->rules;
    grants->expires_at_s = identity.grants->expires_at_s;
  }
  identity.grants = std::move(grants);
}

/// A client on its way through the methods.
struct Gate::Application {
  Applicant* applicant = nullptr;
  PolicyPtr policy;      // that of its CONNECT, to the end
  std::size_t next = 0;  // of the policy's order
  Ticket ticket = 0;
  std::string client_id;
  std::optional<std::string> user_name;
  std::optional<Secret> password;
  net::PeerFacts peer;
  net::Endpoint address;
  std::string listener;
  std::string fault;  // of the last method that had something to say
  HttpCallout::Ticket asked = 0;
  Version version = Version::v3_1_1;
  bool anonymous_allowed = false;

  [[nodiscard]] bool has_login() const noexcept { return user_name || password; }
};

Gate::Gate(const GateParts& parts, net::Reactor& reactor, std::uint32_t shard, PolicyPtr policy)
    : parts_(parts),
      decoy_secret_(parts.decoy_secret.empty() ? make_decoy_secret() : Secret(parts.decoy_secret)),
      reactor_(reactor),
      shard_(shard),
      policy_(std::move(policy)),
      http_(reactor, parts.clock, executor_of(parts.lookups)) {}

Gate::~Gate() = default;

void Gate::use(PolicyPtr policy) {
  policy_ = std::move(policy);
  http_.clear();
}

void Gate::squeeze(bool is_short) {
  http_.squeeze(is_short);
  parts_.logins.squeeze(is_short);
}

Gate::Begun Gate::admit(const ConnectFacts& facts, Applicant& applicant) {
  const bool anonymous_allowed = admits_anonymous(facts.allow_anonymous, facts.local);
  const bool proven = facts.peer.proof != net::PeerFacts::Proof::none;
  // Most brokers know no users: nothing is copied for their clients.
  if (!policy_->has_logins() && !proven && anonymous_allowed) return {Admission{}, 0};
  if (auto banned = refuse_banned(facts.address)) return {std::move(banned), 0};
  auto application = std::make_unique<Application>();
  application->applicant = &applicant;
  application->policy = policy_;
  application->ticket = ++last_ticket_;
  application->client_id = facts.client_id;
  if (facts.user_name) application->user_name.emplace(*facts.user_name);
  if (facts.password) application->password.emplace(*facts.password);
  application->peer = facts.peer;
  application->address = facts.address;
  application->listener = facts.listener;
  application->version = facts.version;
  application->anonymous_allowed = anonymous_allowed;
  if (auto decided = go_on(*application)) return {std::move(decided), 0};
  const Ticket ticket = application->ticket;
  applications_.emplace(ticket, std::move(application));
  return {std::nullopt, ticket};
}

/// Tries one method after the other until one has decided, or has to be waited for.
std::optional<Admission> Gate::go_on(Application& application) {
  const auto order = application.policy->order();
  while (application.next < order.size()) {
    const Method method = order[application.next++];
    if (auto decided = try_method(application, method)) return decided;
    if (application.asked != 0) return std::nullopt;
  }
  return conclude(application);
}

std::optional<Admission> Gate::try_method(Application& application, Method method) {
  using Proof = net::PeerFacts::Proof;
  const net::PeerFacts& peer = application.peer;
  const auto accept = [&](std::string_view name) -> std::optional<Admission> {
    if (name.empty()) return std::nullopt;
    Admission admission;
    admission.identity = {std::string(name), grants_of(peer), method};
    return admission;
  };
  switch (method) {
    case Method::certificate:
      if (peer.proof != Proof::certificate && peer.proof != Proof::proxy) return std::nullopt;
      return accept(peer.user_name);
    case Method::psk:
      return peer.proof == Proof::pre_shared_key ? accept(peer.user_name) : std::nullopt;
    case Method::unix:
      if (!peer.process) return std::nullopt;
      return accept(application.policy->unix_users().find(*peer.process));
    case Method::password:
      if (!application.user_name || !application.password) return std::nullopt;
      return submit(application, method);
    case Method::jwt:
      if (!application.password || !Jwt::looks_like_token(application.password->view())) {
        return std::nullopt;
      }
      return submit(application, method);
    case Method::http:
      if (!application.has_login() && application.anonymous_allowed) return std::nullopt;
      return ask_service(application);
    case Method::none:
    case Method::scram: break;
  }
  LINNET_ASSERT(false);
}

std::optional<Admission> Gate::submit(Application& application, Method method) {
  LoginJob job;
  job.policy = application.policy;
  job.method = method;
  job.user_name = application.user_name.value_or(std::string());
  job.password = Secret(application.password->view());
  job.source = hash64(application.address.address_text(), 0);
  job.shard = shard_;
  job.ticket = application.ticket;
  job.now_s = static_cast<std::uint64_t>(std::max<std::int64_t>(parts_.clock.wall_ms(), 0)) / 1'000;
  if (parts_.logins.remembers(job)) {
    Admission admission;
    admission.identity = {*application.user_name, grants_of(application.peer), method};
    return admission;
  }
  if (!parts_.logins.submit(std::move(job))) {
    return refusal(ReasonCode::server_busy,
                   "more logins wait than auth.login_queue_max; try again later");
  }
  application.asked = kAskedWorker;
  return std::nullopt;
}

std::optional<Admission> Gate::ask_service(Application& application) {
  HttpQuestion question;
  question.client_id = application.client_id;
  question.user_name = application.user_name.value_or(std::string());
  if (application.password) question.password = Secret(application.password->view());
  question.address = application.address.address_text();
  question.listener = application.listener;
  question.certificate_cn = application.peer.certificate.cn;
  question.protocol_version = static_cast<std::uint8_t>(application.version);
  const Ticket ticket = application.ticket;
  application.asked =
      http_.ask(application.policy->http(), question,
                [this, ticket](HttpAnswer answer) { on_answer(ticket, std::move(answer)); });
  return std::nullopt;
}

/// No method has let the client in.
Admission Gate::conclude(Application& application) {
  const bool proven = application.peer.proof != net::PeerFacts::Proof::none;
  const bool logins = application.policy->has_logins();
  if (application.has_login() && logins) {
    on_wrong_login(application.address);
    if (auto banned = refuse_banned(application.address)) return std::move(*banned);
    Admission wrong = refusal(ReasonCode::bad_user_name_or_password, std::string(kWrongLogin));
    wrong.fault = std::move(application.fault);
    if (application.user_name) wrong.fault += cat(" (user \"", *application.user_name, "\")");
    return wrong;
  }
  // A certificate that names nobody is enough where there is no other way to log in.
  if (application.anonymous_allowed || (proven && !logins)) {
    Admission admission;
    add_certificate(admission.identity, application.peer);
    return admission;
  }
  return refusal(ReasonCode::not_authorized,
                 logins ? "this listener does not allow anonymous clients; log in with a user name "
                          "and a password"
                        : "this listener does not allow anonymous clients; show a certificate, or "
                          "set allow_anonymous = true for it");
}

void Gate::on_verdict(LoginVerdict verdict) {
  using Outcome = LoginVerdict::Outcome;
  const auto found = applications_.find(verdict.ticket);
  if (found == applications_.end()) return;  // its client has gone
  Application& application = *found->second;
  application.asked = 0;
  if (application.applicant == nullptr) {  // who guesses does not wait for the answer
    // A later method might have let it in; only the last word counts.
    const bool last = application.next >= application.policy->order().size();
    const bool wrong =
        verdict.outcome == Outcome::rejected || (verdict.outcome == Outcome::ignored && last);
    if (wrong) on_wrong_login(application.address);
    applications_.erase(found);
    return;
  }
  if (!verdict.fault.empty()) application.fault = std::move(verdict.fault);
  switch (verdict.outcome) {
    case Outcome::accepted: {
      Admission admission;
      admission.identity = std::move(verdict.identity);
      add_certificate(admission.identity, application.peer);
      return resume(verdict.ticket, std::move(admission));
    }
    case Outcome::rejected: return resume(verdict.ticket, conclude(application));
    case Outcome::ignored: return resume(verdict.ticket, go_on(application));
  }
}

void Gate::on_answer(Ticket ticket, HttpAnswer answer) {
  using Result = HttpAnswer::Result;
  const auto found = applications_.find(ticket);
  LINNET_ASSERT(found != applications_.end());
  Application& application = *found->second;
  application.asked = 0;
  switch (answer.result) {
    case Result::allow: {
      Admission admission;
      admission.identity = std::move(answer.identity);
      admission.identity.method = Method::http;
      add_certificate(admission.identity, application.peer);
      return resume(ticket, std::move(admission));
    }
    case Result::deny:
      application.fault = "the service of auth.http.url says no";
      // Whoever gave nothing to judge by has not guessed.
      if (application.has_login()) return resume(ticket, conclude(application));
      return resume(ticket, refusal(ReasonCode::not_authorized, std::move(application.fault)));
    case Result::ignore: return resume(ticket, go_on(application));
    case Result::unavailable:
      return resume(ticket, refusal(ReasonCode::server_unavailable,
                                    "who may log in can't be asked now; try again later"));
  }
}

void Gate::resume(Ticket ticket, std::optional<Admission> decided) {
  if (!decided) return;  // the next method takes its time, too
  const auto found = applications_.find(ticket);
  Applicant& applicant = *found->second->applicant;
  if (auto banned = refuse_banned(found->second->address)) decided = std::move(banned);
  applications_.erase(found);
  applicant.on_admission(std::move(*decided));
}

void Gate::forget(Ticket ticket) noexcept {
  const auto found = applications_.find(ticket);
  if (found == applications_.end()) return;
  // The worker has no way back: its verdict still counts, for the address.
  if (found->second->asked == kAskedWorker) {
    found->second->applicant = nullptr;
    return;
  }
  http_.forget(found->second->asked);
  applications_.erase(found);
}

std::optional<Admission> Gate::refuse_banned(const net::Endpoint& address) const {
  if (!parts_.bans.is_banned(address, reactor_.now_ms())) return std::nullopt;
  return refusal(ReasonCode::banned, "its address is banned");
}

void Gate::on_wrong_login(const net::Endpoint& address) {
  (void)parts_.bans.on_wrong_login(address, policy_->config().ban, reactor_.now_ms());
}

}  // namespace linnet::auth
