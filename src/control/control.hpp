// The broker's local door for its administrator: a Unix stream socket in the data directory that
// speaks JSON lines. One line is a request, {"command":"store.stats"}, and one line answers it:
// {"ok":true, ...} or {"ok":false,"error":"..."}. Who may connect is whoever runs as root or as the
// broker's own user.
//
// A thread of its own waits in poll(2), without a wake-up of its own, and serves one client at a
// time, within limits. Handlers run on it.
//
//   auto control = Control::open(directory, error);
//   control->add("store.stats", [&](const json::object&, json::object& reply) { ...; return ""; });
//   control->start();
//
// open(), add() and start() on one thread, in this order. The destructor ends the thread; a handler
// that runs is waited for, so that what it uses must live until then.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include <boost/json/fwd.hpp>

#include "net/file_descriptor.hpp"

namespace linnet::control {

inline constexpr const char* kSocketName = "control.sock";
inline constexpr std::size_t kLineMax = 64 * 1024;
inline constexpr int kIdleTimeout_ms = 10'000;

/// Does what a request asks and fills in the answer. Returns the error; empty: there is none.
using Handler =
    std::function<std::string(const boost::json::object& request, boost::json::object& reply)>;

class Control {
 public:
  /// Listens. A socket that a dead broker has left there is replaced: the caller holds the
  /// directory's lock. Null if it can't; `error` then names the path and the mend.
  [[nodiscard]] static std::unique_ptr<Control> open(const std::string& directory,
                                                     std::string& error);
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;
  ~Control();

  void add(std::string command, Handler handler);
  void start();

 private:
  Control() = default;
  void serve();
  void serve_client(int client);
  /// False if the client has to go.
  bool read_more(int client, std::string& input);
  bool answer(int client, std::string_view line);
  [[nodiscard]] std::string reply_to(std::string_view line) const;
  /// Waits for `events`; false after the time, or if it is time to end.
  bool wait_for(int descriptor, short events, int timeout_ms) const;

  std::string path_;
  net::FileDescriptor listener_;
  net::FileDescriptor stop_;  // an eventfd
  std::map<std::string, Handler, std::less<>> handlers_;
  std::thread thread_;
};

}  // namespace linnet::control
