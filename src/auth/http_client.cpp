#include "auth/http_client.hpp"

#include <algorithm>
#include <utility>

#include "auth/secret.hpp"
#include "base/assert.hpp"
#include "base/cat.hpp"
#include "base/timer_wheel.hpp"

namespace linnet::auth {

struct HttpClient::Question {
  explicit Question(HttpClient& owner) : client(owner) {}
  void on_timer() { client.on_deadline(*this); }

  HttpClient& client;
  Id id = 0;
  Secret request;
  OnOutcome on_outcome;
  bool retried = false;
  Timer deadline = Timer::calling<&Question::on_timer>(*this);
};

HttpClient::HttpClient(net::Reactor& reactor, HttpServicePtr service,
                       const net::Executor& background)
    : reactor_(reactor), service_(std::move(service)), background_(background) {}

HttpClient::~HttpClient() {
  if (will_flush_) reactor_.forget_flush(*this);
}

HttpClient::Id HttpClient::post(std::string_view json, OnOutcome on_outcome) {
  auto question = std::make_unique<Question>(*this);
  question->id = ++last_id_;
  question->on_outcome = std::move(on_outcome);
  std::string request;
  web::append_post(request, {.host = service_->host(),
                             .target = service_->target(),
                             .authorization = service_->authorization(),
                             .body = json});
  question->request = Secret(std::move(request));
  reactor_.timers().arm(question->deadline, reactor_.now_ms() + service_->timeout_ms());
  waiting_.push_back(std::move(question));
  ++questions_;
  flush_soon();
  return last_id_;
}

bool HttpClient::withdraw(Id id) noexcept {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [id](const QuestionPtr& each) { return each->id == id; });
  if (found == waiting_.end()) return false;
  waiting_.erase(found);
  --questions_;
  return true;
}

void HttpClient::flush_soon() {
  if (will_flush_) return;
  will_flush_ = true;
  reactor_.flush_later(*this);
}

void HttpClient::on_flush() {
  will_flush_ = false;
  buried_.clear();
  while (!waiting_.empty()) {
    Line* line = find_line();
    if (line == nullptr) return;
    line->question = std::move(waiting_.front());
    waiting_.pop_front();
    // From here on the line may go at any time.
    HttpConnection& connection = *line->connection;
    const Question& question = *line->question;
    connection.ask(question.request.view(), question.deadline.deadline_ms());
  }
}

/// A connection that has nothing to do; a new one if there is none. Null if there are enough.
HttpClient::Line* HttpClient::find_line() {
  // The first that is spare, so that the others become old where one is enough.
  for (std::size_t at = 0; at < lines_.size();) {
    Line& line = lines_[at];
    if (line.question != nullptr) {
      ++at;
      continue;
    }
    if (line.connection->is_quiet()) return &line;
    bury(line);
  }
  if (lines_.size() >= kConnectionsMax) return nullptr;
  auto connection = std::make_unique<HttpConnection>(reactor_, *service_, *this);
  connection->set_addresses(service_->resolver().addresses(), good_address_);
  return &lines_.emplace_back(Line{std::move(connection), nullptr});
}

HttpClient::Line& HttpClient::line_of(const HttpConnection& connection) noexcept {
  const auto found = std::find_if(lines_.begin(), lines_.end(), [&](const Line& line) {
    return line.connection.get() == &connection;
  });
  LINNET_ASSERT(found != lines_.end());
  return *found;
}

void HttpClient::bury(Line& line) {
  line.connection->close();
  buried_.push_back(std::move(line.connection));
  lines_.erase(lines_.begin() + (&line - lines_.data()));
  flush_soon();
}

void HttpClient::bury_spare_lines() {
  for (std::size_t at = lines_.size(); at-- > 0;) {
    if (lines_[at].question == nullptr) bury(lines_[at]);
  }
}

void HttpClient::on_outcome(HttpConnection& connection, Outcome outcome, bool stale) {
  Line& line = line_of(connection);
  QuestionPtr question = std::move(line.question);
  if (connection.state() == HttpConnection::State::spare) {
    good_address_ = connection.address();
  } else {
    bury(line);
  }
  flush_soon();
  if (!stale || question->retried) {
    if (outcome.status == 0 && !stale) look_up_again();
    return finish(std::move(question), std::move(outcome));
  }
  question->retried = true;
  // The service may have been started anew, and then knows none of the others either.
  bury_spare_lines();
  waiting_.push_front(std::move(question));
}

void HttpClient::on_spare_end(HttpConnection& connection) {
  bury(line_of(connection));
}

void HttpClient::on_deadline(Question& question) {
  bool connecting = false;
  QuestionPtr mine;
  const auto is_it = [&](const QuestionPtr& each) { return each.get() == &question; };
  if (const auto found = std::find_if(waiting_.begin(), waiting_.end(), is_it);
      found != waiting_.end()) {
    mine = std::move(*found);
    waiting_.erase(found);
  } else {
    const auto line = std::find_if(lines_.begin(), lines_.end(),
                                   [&](const Line& each) { return is_it(each.question); });
    LINNET_ASSERT(line != lines_.end());
    connecting = line->connection->state() == HttpConnection::State::connecting;
    mine = std::move(line->question);
    bury(*line);
  }
  if (connecting) look_up_again();
  finish(std::move(mine), {0,
                           {},
                           cat(connecting ? "has not been connected to" : "has not answered",
                               " within ", service_->timeout_ms(), " ms (auth.http.timeout)")});
}

void HttpClient::look_up_again() {
  service_->resolver().refresh(reactor_.now_ms(), background_);
}

void HttpClient::finish(QuestionPtr question, Outcome outcome) {
  --questions_;
  const OnOutcome tell = std::move(question->on_outcome);
  question.reset();
  tell(std::move(outcome));
}

}  // namespace linnet::auth
