#include "control/control.hpp"

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

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "control/unix_address.hpp"

namespace linnet::control {
namespace {

namespace json = boost::json;

constexpr mode_t kSocketMode = 0600;
constexpr int kWaitingMax = 8;  // clients that have connected and are not served yet
constexpr std::size_t kReadSize = 4'096;

bool may_enter(int client) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == geteuid();
}

std::string error_line(std::string_view text) {
  return json::serialize(json::object{{"ok", false}, {"error", text}});
}

}  // namespace

std::unique_ptr<Control> Control::open(const std::string& directory, std::string& error) {
  std::unique_ptr<Control> control(new Control);
  control->path_ = cat(directory, '/', kSocketName);
  const UnixAddress address = unix_address(directory, kSocketName);
  control->listener_ =
      net::FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  control->stop_ = net::FileDescriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const int listener = control->listener_.get();
  unlink(control->path_.c_str());
  // The mode of a socket that has no name yet becomes that of its file: nobody else can connect in
  // between.
  const bool listens =
      address.valid && control->listener_ && control->stop_ && fchmod(listener, kSocketMode) == 0 &&
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
    const std::uint64_t one = 1;
    static_cast<void>(::write(stop_.get(), &one, sizeof one));
    thread_.join();
  }
  if (listener_) unlink(path_.c_str());
}

void Control::add(std::string command, Handler handler) {
  handlers_.insert_or_assign(std::move(command), std::move(handler));
}

void Control::start() {
  thread_ = std::thread([this] { serve(); });
}

bool Control::wait_for(int descriptor, short events, int timeout_ms) const {
  std::array<pollfd, 2> set{pollfd{stop_.get(), POLLIN, 0}, pollfd{descriptor, events, 0}};
  int count = 0;
  do {
    count = poll(set.data(), set.size(), timeout_ms);
  } while (count < 0 && errno == EINTR);
  return count > 0 && set[0].revents == 0;
}

void Control::serve() {
  constexpr int kForever = -1;
  while (wait_for(listener_.get(), POLLIN, kForever)) {
    const net::FileDescriptor client(
        accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client) {
      // Without a free descriptor the socket stays readable: wait, and not in a circle.
      constexpr int kPause_ms = 100;
      if (errno == EMFILE || errno == ENFILE) wait_for(-1, 0, kPause_ms);
      continue;
    }
    if (may_enter(client.get())) {
      serve_client(client.get());
    } else {
      answer(client.get(), error_line("only root and the broker's own user may ask"));
    }
  }
}

void Control::serve_client(int client) {
  std::string input;
  while (true) {
    const std::size_t end = input.find('\n');
    if (end != std::string::npos) {
      const std::string line = input.substr(0, end);
      input.erase(0, end + 1);
      if (!answer(client, reply_to(line))) return;
    } else if (input.size() >= kLineMax) {
      answer(client, error_line(cat("a request has at most ", kLineMax, " bytes")));
      return;
    } else if (!read_more(client, input)) {
      return;
    }
  }
}

bool Control::read_more(int client, std::string& input) {
  if (!wait_for(client, POLLIN, kIdleTimeout_ms)) return false;
  std::array<char, kReadSize> bytes;
  const ssize_t size = recv(client, bytes.data(), bytes.size(), 0);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  input.append(bytes.data(), static_cast<std::size_t>(size));
  return size > 0;
}

bool Control::answer(int client, std::string_view line) {
  const std::string text = cat(line, '\n');
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t size = send(client, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (size > 0) {
      rest.remove_prefix(static_cast<std::size_t>(size));
    } else if (errno != EAGAIN && errno != EINTR) {
      return false;
    } else if (!wait_for(client, POLLOUT, kIdleTimeout_ms)) {
      return false;
    }
  }
  return true;
}

std::string Control::reply_to(std::string_view line) const {
  boost::system::error_code code;
  const json::value parsed = json::parse(json::string_view(line.data(), line.size()), code);
  if (code || !parsed.is_object()) return error_line("a request is a JSON object in one line");
  const json::value* command = parsed.as_object().if_contains("command");
  if (command == nullptr || !command->is_string()) {
    return error_line("a request names its \"command\"");
  }
  const json::string& name = command->as_string();
  const auto handler = handlers_.find(std::string_view(name.data(), name.size()));
  if (handler == handlers_.end()) {
    return error_line(cat("unknown command ", std::string_view(name.data(), name.size())));
  }
  json::object reply{{"ok", true}};
  // What throws here is the library or the lack of memory; the broker has to go on.
  try {
    const std::string error = handler->second(parsed.as_object(), reply);
    return error.empty() ? json::serialize(reply) : error_line(error);
  } catch (const std::exception& failure) {
    log::error("control", cat(std::string_view(failure.what())));
    return error_line(cat("the broker failed: ", std::string_view(failure.what())));
  }
}

}  // namespace linnet::control
