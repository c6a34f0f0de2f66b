#include "broker/certificate_watch.hpp"

#include <ctime>
#include <utility>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "base/utc_text.hpp"

namespace linnet {

namespace {

constexpr std::uint64_t kDayMs = 24 * 3'600'000;
constexpr std::time_t kDayS = 24 * 3'600;

}  // namespace

CertificateWatch::CertificateWatch() noexcept
    : daily_(Timer::calling<&CertificateWatch::on_day>(*this)) {}

void CertificateWatch::start(TimerWheel& timers) {
  timers_ = &timers;
  on_day();
}

void CertificateWatch::use(std::vector<const tls::ServerContext*> contexts) noexcept {
  const std::lock_guard lock(mutex_);
  contexts_.swap(contexts);
}

void CertificateWatch::on_day() {
  warn();
  timers_->arm(daily_, timers_->now_ms() + kDayMs);
}

void CertificateWatch::warn() const {
  const std::time_t now = std::time(nullptr);
  const std::lock_guard lock(mutex_);
  for (const tls::ServerContext* context : contexts_) {
    for (const std::string& text : context->warnings(now))
      log::warn("tls", text);
  }
}

std::vector<tls::CertificateFacts> CertificateWatch::facts() const {
  std::vector<tls::CertificateFacts> all;
  const std::lock_guard lock(mutex_);
  for (const tls::ServerContext* context : contexts_) {
    for (tls::CertificateFacts& facts : context->certificates())
      all.push_back(std::move(facts));
  }
  return all;
}

void CertificateWatch::append_to(std::vector<shard::SysTopic>& topics) const {
  const std::time_t now = std::time(nullptr);
  const std::lock_guard lock(mutex_);
  std::size_t number = 0;
  for (const tls::ServerContext* context : contexts_) {
    for (tls::CertificateFacts& facts : context->certificates()) {
      const std::string prefix = cat("$SYS/broker/certificates/", ++number, '/');
      topics.push_back({prefix + "file", std::move(facts.file)});
      topics.push_back({prefix + "name", std::move(facts.name)});
      topics.push_back({prefix + "ends", utc_text(facts.not_after)});
      topics.push_back({prefix + "days", std::to_string((facts.not_after - now) / kDayS)});
    }
  }
}

}  // namespace linnet
