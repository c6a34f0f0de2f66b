// The broker's local door for its administrator: a Unix stream socket in the data directory that
// speaks JSON lines. One line is a request, {"command":"store.stats"}, and one line answers it:
// {"ok":true, ...} or {"ok":false,"error":"..."}; some commands are answered by many lines, as long
// as the client stays. Who may connect is whoever runs as root or as the broker's own user.
//
// A thread of its own waits in poll(2), without a wake-up of its own, and serves a few clients at a
// time, within limits; who comes beyond them waits in the kernel. Handlers run on it, one at a
// time: what takes long is a Conversation.
//
//   auto control = Control::open(directory, error);
//   control->add("store.stats", [&](const json::object&, json::object& reply) { ...; return ""; });
//   control->start();
//
// open(), add() and start() on one thread, in this order. The destructor ends the thread; a handler
// that runs is waited for, so that what it uses must live until then.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include <boost/json/fwd.hpp>

#include "control/conversation.hpp"
#include "net/file_descriptor.hpp"

namespace linnet::control {

inline constexpr const char* kSocketName = "control.sock";
inline constexpr std::size_t kLineMax = 64 * 1024;
inline constexpr std::size_t kOutputMax = 256 * 1024;  // what a conversation may have said in vain
inline constexpr int kIdleTimeout_ms = 10'000;
inline constexpr std::size_t kClientsMax = 8;
/// Of them, those whose conversation has no end: so that others are still answered.
inline constexpr std::size_t kEndlessMax = 6;

/// Does what a request asks and fills in the answer. Returns the error; empty: there is none.
using Handler =
    std::function<std::string(const boost::json::object& request, boost::json::object& reply)>;

class Control final : public Waker {
 public:
  /// Listens. A socket that a dead broker has left there is replaced: the caller holds the
  /// directory's lock. Null if it can't; `error` then names the path and the mend.
  [[nodiscard]] static std::unique_ptr<Control> open(const std::string& directory,
                                                     std::string& error);
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;
  ~Control();

  void add(std::string command, Handler handler);
  void add_conversation(std::string command, Opening opening);
  void start();

  /// A conversation has something to say. Any thread.
  void wake() noexcept override;

 private:
  struct Client;

  Control();
  void serve();
  void wait();
  void accept_one();
  void serve_client(Client& client, short events);
  void converse(Client& client);
  void read_more(Client& client);
  void answer_lines(Client& client);
  void answer(Client& client, std::string_view line);
  void write_more(Client& client);
  [[nodiscard]] std::string reply_to(Client& client, std::string_view line);
  [[nodiscard]] std::string begin(Client& client, const Opening& opening,
                                  const boost::json::object& request);
  [[nodiscard]] std::size_t endless() const noexcept;
  [[nodiscard]] std::uint64_t next_due_ms() const;

  std::string path_;
  net::FileDescriptor listener_;
  net::FileDescriptor wake_;  // an eventfd
  std::atomic<bool> ending_{false};
  std::map<std::string, Handler, std::less<>> handlers_;
  std::map<std::string, Opening, std::less<>> openings_;
  std::thread thread_;

  // The thread's
  std::list<Client> clients_;
  std::uint64_t now_ms_ = 0;
  std::uint64_t accept_again_ms_ = 0;  // there was no descriptor for a client
};

/// {"ok":false,"error":"..."}
[[nodiscard]] std::string error_line(std::string_view text);

}  // namespace linnet::control
