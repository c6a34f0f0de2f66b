// One connection to a service, on a shard's event loop: connects (trying one address after the
// other), speaks TLS if the service does, and carries one question at a time. The shard's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/http_service.hpp"
#include "base/timer_wheel.hpp"
#include "net/channel.hpp"
#include "net/file_descriptor.hpp"
#include "net/reactor.hpp"
#include "web/http_exchange.hpp"

namespace linnet::auth {

class HttpConnection final : public net::ReadyHandler {
 public:
  enum class State : std::uint8_t {
    fresh,  // no socket yet
    connecting,
    asking,  // the question is on its way, or the answer
    spare,   // waits for the next question
    ended,
  };

  /// What came of a question.
  struct Outcome {
    unsigned status = 0;  // HTTP's; 0: there is no answer, and `fault` says why
    std::string body;
    std::string fault;  // "closed the connection without an answer": what the service did
  };

  /// Who is told; it may destroy the connection later in this turn, but not within the call.
  class User {
   public:
    /// `stale`: the service has closed a connection that had been spare, perhaps before it has seen
    /// the question, which may be asked again. The connection is spare or ended then.
    virtual void on_outcome(HttpConnection& connection, Outcome outcome, bool stale) = 0;
    /// A spare connection has ended.
    virtual void on_spare_end(HttpConnection& connection) = 0;

   protected:
    ~User() = default;
  };

  /// How long a spare connection is kept.
  static constexpr std::uint64_t kSpareMs = 30'000;

  /// The service must outlive it.
  HttpConnection(net::Reactor& reactor, const HttpService& service, User& user);
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;
  ~HttpConnection() { close(); }

  /// Where a fresh one shall connect to: from `first` on and round.
  void set_addresses(std::vector<net::SocketAddress> addresses, std::size_t first);
  /// Which of them it is connected to, or was last.
  [[nodiscard]] std::size_t address() const noexcept { return at_; }

  /// A fresh or spare one only. `request` stays where it is until there is an outcome, which may
  /// come from within this call; it is the user who watches the deadline.
  void ask(std::string_view request, std::uint64_t deadline_ms);
  void close() noexcept;
  /// Whether a spare one is still as it was left: the service has not closed it, nor said anything
  /// that was not asked for.
  [[nodiscard]] bool is_quiet();

  [[nodiscard]] State state() const noexcept { return state_; }

  void on_ready(std::uint32_t events) override;

 private:
  using Status = web::ResponseReader::State;

  [[nodiscard]] bool connect();
  void connect_next();
  void on_connected();
  void on_timer();
  void send();
  void receive();
  /// False once there is an outcome.
  [[nodiscard]] bool take(Status status);
  void watch(std::uint32_t events);
  void drop_socket() noexcept;
  void succeed();
  void fail(std::string fault);

  // Constant after construction.
  net::Reactor& reactor_;
  const HttpService& service_;
  User& user_;

  std::vector<net::SocketAddress> addresses_;
  std::size_t at_ = 0;
  std::size_t untried_ = 0;

  State state_ = State::fresh;
  bool reused_ = false;
  net::FileDescriptor socket_;
  std::optional<net::Reactor::Slot> slot_;
  std::uint32_t watched_ = 0;
  std::unique_ptr<net::Channel> channel_;  // null: TCP alone
  web::ResponseReader reader_;
  std::string_view request_;
  std::size_t sent_ = 0;
  std::uint64_t deadline_ms_ = 0;
  std::string last_error_;
  Timer timer_ = Timer::calling<&HttpConnection::on_timer>(*this);
};

}  // namespace linnet::auth
