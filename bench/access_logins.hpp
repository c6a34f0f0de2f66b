// Clients that keep logging in at an even pace, whatever the broker does, on a thread of their own.
// Each connects, sends CONNECT with a user and a password, and goes with the answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "wire.hpp"

namespace linnet::bench {

struct LoginPlan {
  std::string name;                // clients' identifiers begin with it
  std::vector<std::string> users;  // they take turns
  std::string password;
  std::vector<std::string> addresses;  // that they come from, in turn; of 127.0.0.0/8
  std::uint32_t per_second = 0;
};

struct LoginCounts {
  std::uint64_t begun = 0;
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;     // for its user or password
  std::uint64_t busy = 0;        // refused for what the broker is: not available
  std::uint64_t closed = 0;      // without a word
  std::uint64_t unanswered = 0;  // within kAnswerTimeout, or when it had to end
  std::vector<double> ms;        // from before connect() to an answer that accepts
};

class Logins {
 public:
  /// Begins at once.
  Logins(LoginPlan plan, std::uint32_t port);

  /// Starts no more of them, and gives those under way that long. Once.
  [[nodiscard]] LoginCounts end(std::chrono::seconds patience);

 private:
  using Clock = std::chrono::steady_clock;

  struct Client {
    Descriptor socket;
    std::string unsent;
    std::string answer;
    Clock::time_point began;
    bool is_open = false;
  };

  static constexpr std::size_t kOpenMax = 4'000;
  static constexpr std::chrono::milliseconds kWait{1};  // until more are due

  void run(const std::stop_token& stop);
  void start_due(std::chrono::duration<double> elapsed);
  void start();
  void give_up_on_late(Clock::time_point now);
  void turn();
  void on_ready(std::size_t index);
  void read_answer(Client& client);
  void close(Client& client);

  const LoginPlan plan_;
  const std::uint32_t port_;

  // The thread's own, until it has ended.
  Poll poll_;
  std::vector<Client> clients_;
  std::vector<std::size_t> free_;
  std::deque<std::size_t> by_age_;  // indexes of clients, begun one after the other
  LoginCounts counts_;
  std::chrono::seconds patience_{0};
  std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace linnet::bench
