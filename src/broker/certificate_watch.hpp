// Looks after the certificates that the listeners show: warns when one ends soon, once a day, and
// tells $SYS how long each lasts.
#pragma once

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

  /// Before the shards run. The context outlives the watch.
  void add(const tls::ServerContext& context) { contexts_.push_back(&context); }
  /// Warns now, and from then on once a day, on the thread of these timers; they outlive the watch.
  void start(TimerWheel& timers);
  /// Before the timers end.
  void stop() noexcept { daily_.cancel(); }
  /// Any thread.
  void warn() const;

  void append_to(std::vector<shard::SysTopic>& topics) const override;

 private:
  void on_day();

  std::vector<const tls::ServerContext*> contexts_;
  TimerWheel* timers_ = nullptr;
  Timer daily_;
};

}  // namespace linnet
