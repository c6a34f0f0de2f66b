// The WebSockets of a server, by Boost.Beast. Any thread; it must outlive its channels.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "net/channel.hpp"
#include "web/judge.hpp"

namespace linnet::web {

class WebSockets {
 public:
  /// Throws std::system_error if the system has no descriptors left.
  WebSockets(bool deflate, std::uint64_t message_max);
  WebSockets(const WebSockets&) = delete;
  WebSockets& operator=(const WebSockets&) = delete;
  ~WebSockets();

  /// A channel that grants the upgrade at its first read(). `unread` has come behind the request.
  [[nodiscard]] std::unique_ptr<net::Channel> open(std::unique_ptr<net::Channel> below,
                                                   Upgrade upgrade, std::string unread) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::web
