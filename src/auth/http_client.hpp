// Asks one service by HTTP: questions wait in a row for one of a few connections that stay open
// between them. On a shard's event loop; one object per shard and service, its thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "auth/http_connection.hpp"
#include "auth/http_service.hpp"
#include "net/reactor.hpp"
#include "net/resolver.hpp"

namespace linnet::auth {

class HttpClient final : public HttpConnection::User, public net::FlushHandler {
 public:
  static constexpr std::size_t kConnectionsMax = 16;

  using Id = std::uint64_t;
  using Outcome = HttpConnection::Outcome;
  using OnOutcome = std::function<void(Outcome outcome)>;

  /// `background` looks up the service's name again when nobody answers; it must outlive the
  /// client.
  HttpClient(net::Reactor& reactor, HttpServicePtr service, const net::Executor& background);
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  /// Nobody is told of what is under way.
  ~HttpClient();

  /// Asks by POST. `on_outcome` is called once, at the latest when the service's time is over, and
  /// never from within this call; the client must not be destroyed by it. The caller bounds how
  /// many questions there are.
  [[nodiscard]] Id post(std::string_view json, OnOutcome on_outcome);
  /// Takes a question back that has not been sent yet. False: it is too late, and there will be an
  /// outcome.
  [[nodiscard]] bool withdraw(Id id) noexcept;

  [[nodiscard]] const HttpService& service() const noexcept { return *service_; }
  /// Nothing is asked.
  [[nodiscard]] bool is_idle() const noexcept { return questions_ == 0; }

 private:
  struct Question;
  using QuestionPtr = std::unique_ptr<Question>;
  struct Line {
    std::unique_ptr<HttpConnection> connection;
    QuestionPtr question;  // null: it is spare
  };

  void on_outcome(HttpConnection& connection, Outcome outcome, bool stale) override;
  void on_spare_end(HttpConnection& connection) override;
  void on_flush() override;
  void on_deadline(Question& question);

  void flush_soon();
  [[nodiscard]] Line* find_line();
  [[nodiscard]] Line& line_of(const HttpConnection& connection) noexcept;
  void bury(Line& line);
  void bury_spare_lines();
  void finish(QuestionPtr question, Outcome outcome);
  void look_up_again();

  // Constant after construction.
  net::Reactor& reactor_;
  HttpServicePtr service_;
  const net::Executor& background_;

  Id last_id_ = 0;
  std::size_t questions_ = 0;
  std::deque<QuestionPtr> waiting_;
  std::vector<Line> lines_;
  std::vector<std::unique_ptr<HttpConnection>> buried_;  // may be in a call: end with the turn
  std::size_t good_address_ = 0;
  bool will_flush_ = false;
};

}  // namespace linnet::auth
