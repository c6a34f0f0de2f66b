#include "control/client.hpp"

#include <array>
#include <cerrno>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <system_error>
#include <utility>

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "control/control.hpp"
#include "control/unix_address.hpp"

namespace linnet::control {
namespace {

namespace json = boost::json;

constexpr std::size_t kReplyMax = std::size_t{64} << 20;

bool send_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

std::string ended(const std::string& path) {
  return cat("the broker at ", path, " has ended the conversation");
}

}  // namespace

std::unique_ptr<Call> Call::open(const std::string& directory, std::string& error) {
  const std::string path = cat(directory, '/', kSocketName);
  const UnixAddress address = unix_address(directory, kSocketName);
  net::FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!address.valid || !socket ||
      connect(socket.get(), address.get(), sizeof address.address) != 0) {
    const int code = address.valid ? errno : ENAMETOOLONG;
    error = cat("the broker does not answer at ", path, ": ", std::generic_category().message(code),
                code == EACCES ? "; run this as root or as the broker's user" : "");
    return nullptr;
  }
  return std::unique_ptr<Call>(new Call(std::move(socket), path));
}

bool Call::ask(const json::object& request, std::string& error) {
  if (send_all(socket_.get(), cat(std::string_view(json::serialize(request)), '\n'))) return true;
  error = ended(path_);
  return false;
}

/// The first line of what was read; "ok" must be true where it stands.
bool Call::take_line(json::object& line, std::string& error, bool& ends) {
  const std::size_t end = input_.find('\n');
  if (end == std::string::npos) return false;
  boost::system::error_code code;
  json::value parsed = json::parse(json::string_view(input_.data(), end), code);
  input_.erase(0, end + 1);
  ends = code || !parsed.is_object();
  if (ends) {
    error = cat("the broker at ", path_, " has answered with something else than JSON");
    return true;
  }
  line = std::move(parsed.as_object());
  const json::value* done = line.if_contains("ok");
  ends = done != nullptr && !(done->is_bool() && done->as_bool());
  if (ends) {
    const json::value* text = line.if_contains("error");
    error = text != nullptr && text->is_string() ? std::string(text->as_string().c_str())
                                                 : "the broker gives no reason";
  }
  line.erase("ok");
  return true;
}

Call::Heard Call::hear_now(json::object& line, std::string& error) {
  bool ends = false;
  if (take_line(line, error, ends)) return ends ? Heard::end : Heard::line;
  std::array<char, 16'384> bytes;
  const ssize_t size = recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return Heard::nothing;
  if (size <= 0 || input_.size() > kReplyMax) {
    error = ended(path_);
    return Heard::end;
  }
  input_.append(bytes.data(), static_cast<std::size_t>(size));
  if (take_line(line, error, ends)) return ends ? Heard::end : Heard::line;
  return Heard::nothing;
}

bool Call::hear(json::object& line, std::string& error) {
  while (true) {
    const Heard heard = hear_now(line, error);
    if (heard != Heard::nothing) return heard == Heard::line;
    pollfd set{socket_.get(), POLLIN, 0};
    static_cast<void>(poll(&set, 1, -1));
  }
}

bool ask(const std::string& directory, const json::object& request, json::object& reply,
         std::string& error) {
  const auto call = Call::open(directory, error);
  return call && call->ask(request, error) && call->hear(reply, error);
}

}  // namespace linnet::control
