#include "control/client.hpp"

#include <array>
#include <cerrno>
#include <string_view>
#include <sys/socket.h>
#include <system_error>

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

/// Up to the end of the line; false if the connection ends before.
bool read_line(int socket, std::string& line) {
  std::array<char, 16'384> bytes;
  while (line.size() < kReplyMax) {
    const ssize_t size = recv(socket, bytes.data(), bytes.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    line.append(bytes.data(), static_cast<std::size_t>(size));
    if (line.back() != '\n') continue;
    line.pop_back();
    return true;
  }
  return false;
}

}  // namespace

bool ask(const std::string& directory, const json::object& request, json::object& reply,
         std::string& error) {
  const std::string path = cat(directory, '/', kSocketName);
  const UnixAddress address = unix_address(directory, kSocketName);
  const net::FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!address.valid || !socket ||
      connect(socket.get(), address.get(), sizeof address.address) != 0) {
    const int code = address.valid ? errno : ENAMETOOLONG;
    error = cat("the broker does not answer at ", path, ": ", std::generic_category().message(code),
                code == EACCES ? "; run this as root or as the broker's user" : "");
    return false;
  }
  std::string line;
  if (!send_all(socket.get(), cat(std::string_view(json::serialize(request)), '\n')) ||
      !read_line(socket.get(), line)) {
    error = cat("the broker at ", path, " has ended the conversation");
    return false;
  }
  boost::system::error_code code;
  json::value parsed = json::parse(line, code);
  if (code || !parsed.is_object()) {
    error = cat("the broker at ", path, " has answered with something else than JSON");
    return false;
  }
  reply = std::move(parsed.as_object());
  const json::value* done = reply.if_contains("ok");
  const bool ok = done != nullptr && done->is_bool() && done->as_bool();
  if (!ok) {
    const json::value* text = reply.if_contains("error");
    error = text != nullptr && text->is_string() ? std::string(text->as_string().c_str())
                                                 : "the broker gives no reason";
  }
  reply.erase("ok");
  return ok;
}

}  // namespace linnet::control
