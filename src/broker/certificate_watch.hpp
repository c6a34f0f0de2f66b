// Looks after the certificates that the listeners show: warns when one ends soon, once a day, and
// tells $SYS how long each lasts.
#pragma once

#include <mutex>
#include <vector>

#include "base/timer_wheel.hpp"
#include "shard/sys_topics.hpp"
#include "tls/server_context.hpp"

namespace linnet {

class CertificateWatch final : public shard::SysSource {
 public:
  CertificateWatch() noexcept;
  CertificateWatch(const CertificateWatch&) = delete;
  CertificateWatch& operator=(const CertificateWatch&) = delete;

  /// From now on it looks at these, and at no others any more. They outlive the watch, or the next
  /// call. Any thread.
  void use(std::vector<const tls::ServerContext*> contexts) noexcept;
  /// Warns now, and from then on once a day, on the thread of these timers; they outlive the watch.
  void start(TimerWheel& timers);
  /// Before the timers end.
  void stop() noexcept { daily_.cancel(); }
  /// Any thread.
  void warn() const;

  /// Those that the listeners show now. Any thread.
  [[nodiscard]] std::vector<tls::CertificateFacts> facts() const;

  void append_to(std::vector<shard::SysTopic>& topics) const override;

 private:
  void on_day();

  mutable std::mutex mutex_;
  std::vector<const tls::ServerContext*> contexts_;
  TimerWheel* timers_ = nullptr;
  Timer daily_;
};

}  // namespace linnet
