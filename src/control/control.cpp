#include "control/control.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "control/unix_address.hpp"

namespace linnet::control {
namespace {

namespace json = boost::json;

constexpr mode_t kSocketMode = 0600;
constexpr int kWaitingMax = 8;  // clients that have connected and are not served yet
constexpr std::size_t kReadSize = 4'096;
constexpr std::uint64_t kForever = ~std::uint64_t{0};
constexpr std::uint64_t kAcceptPause_ms = 100;

bool may_enter(int client) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == geteuid();
}

}  // namespace

struct Control::Client {
  explicit Client(net::FileDescriptor taken, std::uint64_t now_ms)
      : socket(std::move(taken)), moved_ms(now_ms) {}

  [[nodiscard]] bool over() const noexcept {
    return gone || (leaves && output.empty() && !conversation);
  }
  /// It must say or take something within kIdleTimeout_ms, unless it waits for us.
  [[nodiscard]] std::uint64_t idle_ms() const noexcept {
    const bool waits = conversation && (output.empty() || conversation->endless());
    return waits ? kForever : moved_ms + kIdleTimeout_ms;
  }
  [[nodiscard]] std::uint64_t due_ms() const {
    const bool speaks = conversation && output.size() < kOutputMax;
    return speaks ? std::min(idle_ms(), conversation->due_ms()) : idle_ms();
  }

  net::FileDescriptor socket;
  std::string input;
  std::string output;
  std::unique_ptr<Conversation> conversation;
  std::uint64_t moved_ms;  // when bytes have moved last
  bool leaves = false;     // nothing more is read from it
  bool gone = false;
};

std::string error_line(std::string_view text) {
  return json::serialize(json::object{{"ok", false}, {"error", text}});
}

Control::Control() = default;

std::unique_ptr<Control> Control::open(const std::string& directory, std::string& error) {
  std::unique_ptr<Control> control(new Control);
  control->path_ = cat(directory, '/', kSocketName);
  const UnixAddress address = unix_address(directory, kSocketName);
  control->listener_ =
      net::FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  control->wake_ = net::FileDescriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const int listener = control->listener_.get();
  unlink(control->path_.c_str());
  // The mode of a socket that has no name yet becomes that of its file: nobody else can connect in
  // between.
  const bool listens =
      address.valid && control->listener_ && control->wake_ && fchmod(listener, kSocketMode) == 0 &&
      bind(listener, address.get(), sizeof address.address) == 0 &&
      chmod(control->path_.c_str(), kSocketMode) == 0 && listen(listener, kWaitingMax) == 0;
  if (listens) return control;
  error = cat("the control socket ", control->path_, " can't be opened: ",
              std::generic_category().message(address.valid ? errno : ENAMETOOLONG),
              "; data_dir has to be a folder that can hold sockets");
  return nullptr;
}

Control::~Control() {
  if (thread_.joinable()) {
    ending_.store(true);
    wake();
    thread_.join();
  }
  clients_.clear();
  if (listener_) unlink(path_.c_str());
}

void Control::add(std::string command, Handler handler) {
  handlers_.insert_or_assign(std::move(command), std::move(handler));
}

void Control::add_conversation(std::string command, Opening opening) {
  openings_.insert_or_assign(std::move(command), std::move(opening));
}

void Control::start() {
  thread_ = std::thread([this] { serve(); });
}

void Control::wake() noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_.get(), &one, sizeof one));
}

void Control::serve() {
  const SystemClock clock;
  now_ms_ = clock.now_ms();
  while (!ending_.load()) {
    wait();
    now_ms_ = clock.now_ms();
    for (Client& client : clients_) {
      if (client.conversation) {
        converse(client);
        answer_lines(client);
      }
      if (now_ms_ >= client.idle_ms()) client.gone = true;
    }
    clients_.remove_if([](const Client& client) { return client.over(); });
  }
}

/// Waits for whatever is next, and serves it.
void Control::wait() {
  std::vector<pollfd> set;
  const bool accepts = clients_.size() < kClientsMax && now_ms_ >= accept_again_ms_;
  set.push_back({wake_.get(), POLLIN, 0});
  set.push_back({accepts ? listener_.get() : -1, POLLIN, 0});
  std::vector<Client*> served;
  for (Client& client : clients_) {
    const bool reads = !client.leaves && client.input.size() < kLineMax && client.output.empty();
    const int events = (reads ? POLLIN : 0) | (client.output.empty() ? 0 : POLLOUT);
    set.push_back({client.socket.get(), static_cast<short>(events), 0});
    served.push_back(&client);
  }
  const std::uint64_t due = next_due_ms();
  constexpr std::uint64_t kLongest = 3'600'000;
  const std::uint64_t left = due > now_ms_ ? std::min(due - now_ms_, kLongest) : 0;
  const int timeout = due == kForever ? -1 : static_cast<int>(left);
  if (poll(set.data(), set.size(), timeout) <= 0) return;
  std::uint64_t ignored = 0;
  if (set[0].revents != 0) static_cast<void>(::read(wake_.get(), &ignored, sizeof ignored));
  for (std::size_t at = 0; at < served.size(); ++at)
    serve_client(*served[at], set[at + 2].revents);
  if (set[1].revents != 0) accept_one();
}

std::uint64_t Control::next_due_ms() const {
  std::uint64_t due = kForever;
  for (const Client& client : clients_)
    due = std::min(due, client.due_ms());
  if (accept_again_ms_ > now_ms_) due = std::min(due, accept_again_ms_);
  return due;
}

void Control::accept_one() {
  net::FileDescriptor socket(
      accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) {
    // Without a free descriptor the socket stays readable: wait, and not in a circle.
    if (errno == EMFILE || errno == ENFILE) accept_again_ms_ = now_ms_ + kAcceptPause_ms;
    return;
  }
  const bool welcome = may_enter(socket.get());
  Client& client = clients_.emplace_back(std::move(socket), now_ms_);
  if (welcome) return;
  answer(client, error_line("only root and the broker's own user may ask"));
  client.leaves = true;
}

void Control::serve_client(Client& client, short events) {
  if (events == 0) return;
  if ((events & POLLOUT) != 0) write_more(client);
  if ((events & POLLIN) != 0) {
    read_more(client);
  } else if ((events & (POLLHUP | POLLERR)) != 0) {
    client.gone = true;
  }
  answer_lines(client);
}

void Control::read_more(Client& client) {
  std::array<char, kReadSize> bytes;
  const ssize_t size = recv(client.socket.get(), bytes.data(), bytes.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size > 0) {
    client.moved_ms = now_ms_;
    client.input.append(bytes.data(), static_cast<std::size_t>(size));
    return;
  }
  // It may have asked all that it wanted, and still wait for the answer.
  client.leaves = true;
  if (size < 0 || (client.conversation && client.conversation->endless())) client.gone = true;
}

/// One after the other: the next request waits until the answer to this one has been taken.
void Control::answer_lines(Client& client) {
  while (!client.gone && !client.conversation && client.output.empty()) {
    const std::size_t end = client.input.find('\n');
    if (end == std::string::npos) break;
    const std::string line = client.input.substr(0, end);
    client.input.erase(0, end + 1);
    const std::string reply = reply_to(client, line);
    if (!reply.empty()) answer(client, reply);
    if (client.conversation) converse(client);
  }
  if (client.input.size() < kLineMax || client.conversation || !client.output.empty()) return;
  answer(client, error_line(cat("a request has at most ", kLineMax, " bytes")));
  client.input.clear();
  client.leaves = true;
}

void Control::converse(Client& client) {
  while (client.conversation && !client.gone && client.output.size() < kOutputMax) {
    const std::size_t before = client.output.size();
    bool goes_on = false;
    try {
      goes_on = client.conversation->speak(client.output);
    } catch (const std::exception& failure) {
      log::error("control", cat(std::string_view(failure.what())));
      client.output += cat(error_line(cat("the broker failed: ", failure.what())), '\n');
    }
    if (!goes_on) client.conversation.reset();
    const bool spoke = client.output.size() != before;
    if (spoke) write_more(client);
    if (!spoke && goes_on) return;
  }
}

void Control::answer(Client& client, std::string_view line) {
  client.output.append(line).append("\n");
  write_more(client);
}

void Control::write_more(Client& client) {
  std::size_t sent = 0;
  while (sent < client.output.size()) {
    const std::string_view rest = std::string_view(client.output).substr(sent);
    const ssize_t size = send(client.socket.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (size > 0) {
      sent += static_cast<std::size_t>(size);
      client.moved_ms = now_ms_;
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) client.gone = true;
    break;
  }
  client.output.erase(0, sent);
}

std::size_t Control::endless() const noexcept {
  return static_cast<std::size_t>(std::count_if(
      clients_.begin(), clients_.end(),
      [](const Client& client) { return client.conversation && client.conversation->endless(); }));
}

/// Empty: a conversation has begun.
std::string Control::begin(Client& client, const Opening& opening, const json::object& request) {
  std::string error;
  auto conversation = opening(request, *this, error);
  if (!conversation) return error_line(error);
  if (conversation->endless() && endless() >= kEndlessMax) {
    return error_line(cat("there are ", kEndlessMax,
                          " clients that look at this broker already; end one of them"));
  }
  client.conversation = std::move(conversation);
  return {};
}

std::string Control::reply_to(Client& client, std::string_view line) {
  boost::system::error_code code;
  const json::value parsed = json::parse(json::string_view(line.data(), line.size()), code);
  if (code || !parsed.is_object()) return error_line("a request is a JSON object in one line");
  const json::object& request = parsed.as_object();
  const json::value* command = request.if_contains("command");
  if (command == nullptr || !command->is_string()) {
    return error_line("a request names its \"command\"");
  }
  const std::string_view name(command->as_string().data(), command->as_string().size());
  json::object reply{{"ok", true}};
  // What throws here is the library or the lack of memory; the broker has to go on.
  try {
    if (const auto opening = openings_.find(name); opening != openings_.end()) {
      return begin(client, opening->second, request);
    }
    const auto handler = handlers_.find(name);
    if (handler == handlers_.end()) return error_line(cat("unknown command ", name));
    const std::string error = handler->second(request, reply);
    return error.empty() ? json::serialize(reply) : error_line(error);
  } catch (const std::exception& failure) {
    log::error("control", cat(std::string_view(failure.what())));
    return error_line(cat("the broker failed: ", std::string_view(failure.what())));
  }
}

}  // namespace linnet::control
