// New settings for a broker that runs, all of them or none: first everything is read, checked and
// opened, and only then does anything change. See listeners.hpp for the listeners' part of it, and
// shard/shard_settings.cpp for what the shards do.
#include "broker/reload.hpp"

#include <chrono>
#include <exception>
#include <utility>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "broker/broker_impl.hpp"
#include "broker/log_levels.hpp"
#include "broker/reload_diff.hpp"

namespace linnet {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kWaitStep{100};
constexpr int kWaitSteps = 300;  // 30 s

std::int64_t change(std::uint32_t from, std::uint32_t to) noexcept {
  return std::int64_t{to} - std::int64_t{from};
}

/// What has no key that changes: the files that keys name.
void tell_of_files(const AuthConfig& auth, std::vector<std::string>& changed) {
  const auto tell = [&](bool used, const char* text) {
    if (used) changed.emplace_back(text);
  };
  tell(!auth.password_file.empty(), "auth.password_file: users are read again");
  tell(!auth.acl_file.empty(), "auth.acl_file: rules are read again");
  tell(!auth.jwt.keys.empty(), "auth.jwt.keys: keys are read again");
  tell(!auth.http.authorization_file.empty(), "auth.http.authorization_file: is read again");
}

std::string count_text(std::size_t count, const char* one, const char* more) {
  return cat(count, ' ', count == 1 ? one : more);
}

}  // namespace

void log_report(const ReloadReport& report) {
  for (const std::string& line : report.errors)
    log::error("reload", line);
  if (!report.applied) {
    return log::error("reload", "nothing was changed: the broker goes on as before");
  }
  for (const std::string& line : report.changed)
    log::info("reload", line);
  for (const std::string& line : report.needs_restart)
    log::warn("reload", cat(line, " needs a restart"));
  std::string text = cat("reloaded: ", count_text(report.changed.size(), "change", "changes"));
  if (!report.needs_restart.empty()) {
    text +=
        cat(", ", count_text(report.needs_restart.size(), "key needs", "keys need"), " a restart");
  }
  log::info("reload", text);
}

void Broker::reload(Config config, ReloadReport& report) {
  const std::lock_guard lock(impl_->reloading);
  report = {};
  try {
    impl_->try_reload(std::move(config), report);
  } catch (const std::exception& failure) {
    report.errors.push_back(
        cat(report.applied ? "the reload was done, but after it: " : "the reload failed: ",
            std::string_view(failure.what())));
  }
  log_report(report);
}

/// All that takes memory, before anything changes.
struct Broker::Impl::Reloaded {
  session::SettingsPtr settings;
  shard::ReloadProgressPtr progress;
  std::vector<const tls::ServerContext*> contexts;
  std::vector<std::unique_ptr<shard::SettingsTask>> tasks{};  // of the listeners, by shard
};

void Broker::Impl::try_reload(Config next, ReloadReport& report) {
  if (ended) {
    report.errors.emplace_back("the broker has ended");
    return;
  }
  fill_in_defaults(next);
  next.socket_activation = config().socket_activation;
  ReloadDiff diff = compare(config(), next);
  auth::PolicyPtr policy = auth::Policy::load(next.auth, report.errors);
  auto fresh = listeners.prepare(next, post.shards(), inherited, report.errors);
  if (!policy || !fresh) return;
  tell_of_files(next.auth, diff.changed);
  diff.append(std::move(fresh->diff));
  const shard::ReloadProgressPtr progress(new shard::ReloadProgress(post.shards()));
  Reloaded made{session::SettingsPtr(new session::Settings(std::move(next), std::move(policy))),
                progress, fresh->contexts()};
  made.tasks = listeners.commit(*fresh, made.settings->config, progress);
  make_true(std::move(made));
  report.changed = std::move(diff.changed);
  report.needs_restart = std::move(diff.needs_restart);
  report.applied = true;
  certificates.warn();
  wait_for(*progress);
}

/// The listeners have changed already: whatever fails here ends the process. Half of the new
/// settings, with the report that nothing was changed, would be worse.
void Broker::Impl::make_true(Reloaded next) noexcept {
  session::SettingsPtr before = std::move(next.settings);
  {
    const std::lock_guard lock(settings_change);
    settings.swap(before);
  }
  const Limits& limits = config().limits;
  const AuthConfig& auth = config().auth;
  certificates.use(std::move(next.contexts));
  use_log_levels(config());
  accounts.set_burst(static_cast<std::uint64_t>(config().rates.burst.count()));
  verifier->use(auth::VerifierLimits{auth.login_queue_max}, auth.logins_remembered);
  connections.resize(change(before->config.limits.connections_max, limits.connections_max));
  kept_sessions.resize(change(before->config.limits.sessions_max, limits.sessions_max));
  for (shard::ShardId id = 0; id < post.shards(); ++id) {
    post.mailbox(id).post(
        shard::SettingsLetter{settings, next.progress, std::move(next.tasks[id])});
  }
}

void Broker::Impl::wait_for(shard::ReloadProgress& progress) const {
  for (int step = 0; step < kWaitSteps; ++step) {
    if (progress.wait(kWaitStep) || ended) return;
  }
  log::warn("reload", "after 30 s some connections have not been looked at yet; that goes on");
}

void Broker::on_reload_request(std::function<ReloadReport()> answer) {
  impl_->requests.set(std::move(answer));
}

}  // namespace linnet
