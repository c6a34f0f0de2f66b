// Where a service is: its name's addresses, looked up at start-up, and again in the background when
// none of them answers. Any thread; only load() blocks.
//
//   const auto resolver = Resolver::load("auth.example", 443, error);
//   resolver->refresh(now_ms, worker);   // at most once per 30 s: asks the worker to look again
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "net/socket_address.hpp"

namespace linnet::net {

/// Runs a job soon, on a thread that may block; it may drop it at the broker's end.
using Executor = std::function<void(std::function<void()> job)>;

class Resolver : public boost::intrusive_ref_counter<Resolver> {
 public:
  static constexpr std::uint64_t kPauseMs = 30'000;

  /// A name that has no address now is no error: it may get one. `error` then says so, for a
  /// warning.
  [[nodiscard]] static boost::intrusive_ptr<Resolver> load(std::string host, std::uint16_t port,
                                                           std::string& error);

  [[nodiscard]] std::vector<SocketAddress> addresses() const;
  /// Looks a name up again, unless that has been asked for less than kPauseMs ago, or is still
  /// going on: a name service may take minutes to fail. `now_ms` is of the monotonic clock.
  /// Addresses are kept where the name cannot be found any more.
  void refresh(std::uint64_t now_ms, const Executor& background);

 private:
  Resolver(std::string host, std::uint16_t port) : host_(std::move(host)), port_(port) {}
  [[nodiscard]] std::string look();

  class Look;

  // Constant after construction.
  std::string host_;
  std::uint16_t port_;

  mutable std::mutex mutex_;  // of all below
  std::vector<SocketAddress> addresses_;
  std::uint64_t not_before_ms_ = 0;
  bool looking_ = false;  // or about to
};

using ResolverPtr = boost::intrusive_ptr<Resolver>;

}  // namespace linnet::net
