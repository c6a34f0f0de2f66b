#include "access_logins.hpp"

#include <cerrno>
#include <utility>

namespace linnet::bench {

namespace {

sockaddr ipv4(const std::string& host, std::uint32_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) fail(host + " is no address");
  sockaddr generic{};
  std::memcpy(&generic, &address, sizeof address);
  return generic;
}

// A broker that is busy may not even accept: nobody waits for it here.
Descriptor begin_to_connect(const std::string& from, std::uint32_t port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto own = ipv4(from, 0);
  if (::bind(socket.get(), &own, sizeof own) != 0) fail_errno("bind to " + from);
  const auto broker = ipv4("127.0.0.1", port);
  if (::connect(socket.get(), &broker, sizeof broker) != 0 && errno != EINPROGRESS) {
    fail_errno("connect");
  }
  return socket;
}

}  // namespace

Logins::Logins(LoginPlan plan, std::uint32_t port)
    : plan_(std::move(plan)), port_(port), clients_(kOpenMax) {
  for (std::size_t index = 0; index < kOpenMax; ++index)
    free_.push_back(index);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

LoginCounts Logins::end(std::chrono::seconds patience) {
  patience_ = patience;
  thread_.request_stop();
  thread_.join();
  for (const auto& client : clients_)
    counts_.unanswered += client.is_open ? 1 : 0;
  return counts_;
}

void Logins::run(const std::stop_token& stop) {
  const auto began = Clock::now();
  while (!stop.stop_requested()) {
    start_due(Clock::now() - began);
    turn();
  }
  for (const auto end = Clock::now() + patience_; free_.size() < kOpenMax && Clock::now() < end;) {
    turn();
  }
}

void Logins::turn() {
  poll_.wait(kWait, [this](std::size_t index) { on_ready(index); });
  give_up_on_late(Clock::now());
}

void Logins::start_due(std::chrono::duration<double> elapsed) {
  const auto due = static_cast<std::uint64_t>(elapsed.count() * plan_.per_second);
  while (counts_.begun < due && !free_.empty())
    start();
}

void Logins::start() {
  const auto index = free_.back();
  free_.pop_back();
  const auto number = counts_.begun++;
  auto& client = clients_[index];
  client.began = Clock::now();
  client.socket = begin_to_connect(plan_.addresses[number % plan_.addresses.size()], port_);
  client.unsent = login_packet(plan_.name + "-" + std::to_string(number),
                               plan_.users[number % plan_.users.size()], plan_.password);
  client.answer.clear();
  client.is_open = true;
  by_age_.push_back(index);
  poll_.add(client.socket, index, EPOLLIN | EPOLLOUT | EPOLLET);
}

// Whoever is not open any more waits in by_age_ for those before him, and his place with him.
void Logins::give_up_on_late(Clock::time_point now) {
  while (!by_age_.empty()) {
    auto& client = clients_[by_age_.front()];
    if (client.is_open) {
      if (now - client.began < kAnswerTimeout) return;
      ++counts_.unanswered;
      close(client);
    }
    free_.push_back(by_age_.front());
    by_age_.pop_front();
  }
}

void Logins::on_ready(std::size_t index) {
  auto& client = clients_[index];
  if (!client.is_open) return;
  if (!client.unsent.empty()) {
    const auto sent =
        ::send(client.socket.get(), client.unsent.data(), client.unsent.size(), MSG_NOSIGNAL);
    // Not connected yet, or refused: the latter shows when it is read.
    if (sent == static_cast<ssize_t>(client.unsent.size())) client.unsent.clear();
  }
  read_answer(client);
}

void Logins::read_answer(Client& client) {
  char bytes[64];
  const auto got = ::recv(client.socket.get(), bytes, sizeof bytes, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN)) return;
  if (got <= 0) {
    ++counts_.closed;
    return close(client);
  }
  client.answer.append(bytes, static_cast<std::size_t>(got));
  if (client.answer.size() < kConnack.size()) return;
  switch (client.answer[3]) {
    case 0:
      ++counts_.accepted;
      counts_.ms.push_back(
          std::chrono::duration<double, std::milli>(Clock::now() - client.began).count());
      break;
    case 4:
    case 5: ++counts_.refused; break;
    default: ++counts_.busy;
  }
  close(client);
}

void Logins::close(Client& client) {
  client.socket = Descriptor();
  client.is_open = false;
}

}  // namespace linnet::bench
