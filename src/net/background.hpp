// A thread for jobs that wait for the network, as the lookup of a name may for many seconds: nobody
// else waits behind them. It starts with the first job, so that a broker that has none has no such
// thread. Any thread; jobs run one after the other.
//
//   net::Background background;
//   background.run([resolver] { resolver->look(); });
//
// Its end drops the jobs that wait, and takes as long as the one that runs: what jobs use must
// outlive it, or be theirs.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace linnet::net {

class Background {
 public:
  static constexpr std::size_t kWaitingMax = 16;

  Background() = default;
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  ~Background();

  /// False if too many wait, or the system gives no thread: the job is dropped.
  bool run(std::function<void()> job);

 private:
  void work();
  [[nodiscard]] bool start();

  std::mutex mutex_;
  std::condition_variable something_;
  // Protected by the mutex
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace linnet::net
