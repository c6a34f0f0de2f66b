#include "net/inherited_sockets.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cat.hpp"

namespace linnet::net {

namespace {

constexpr int kFirst = 3;  // the descriptors before are standard input, output and error
constexpr int kCountMax = 1024;

std::string take_variable(const char* name) {
  const char* const value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);
  return text;
}

/// -1 if it is no number.
int number_of(const std::string& text) noexcept {
  int number = -1;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && rest == end ? number : -1;
}

bool add_flag(int descriptor, int get, int set, int flag) noexcept {
  const int flags = ::fcntl(descriptor, get);
  return flags >= 0 && ::fcntl(descriptor, set, flags | flag) == 0;
}

int option(int socket, int name) noexcept {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

bool listens(int socket) noexcept {
  return option(socket, SO_TYPE) == SOCK_STREAM && option(socket, SO_ACCEPTCONN) == 1;
}

}  // namespace

InheritedSockets InheritedSockets::from_environment() {
  const int count = number_of(take_variable("LISTEN_FDS"));
  const int process = number_of(take_variable("LISTEN_PID"));
  const std::string names = take_variable("LISTEN_FDNAMES");
  if (process != ::getpid() || count < 1 || count > kCountMax) return {};
  return adopt(kFirst, count, names);
}

InheritedSockets InheritedSockets::adopt(int first, int count, std::string_view names) {
  InheritedSockets sockets;
  for (int descriptor = first; descriptor < first + count; ++descriptor) {
    const auto name = names.substr(0, names.find(':'));
    names.remove_prefix(std::min(name.size() + 1, names.size()));
    if (!add_flag(descriptor, F_GETFD, F_SETFD, FD_CLOEXEC)) continue;  // it is not open
    Entry& entry = sockets.entries_.emplace_back();
    entry.descriptor = FileDescriptor(descriptor);
    entry.address = SocketAddress::of(descriptor);
    entry.name = name;
    entry.listens = listens(descriptor) && add_flag(descriptor, F_GETFL, F_SETFL, O_NONBLOCK);
  }
  return sockets;
}

FileDescriptor InheritedSockets::take(const SocketAddress& address) noexcept {
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (!entry->listens || entry->address != address) continue;
    FileDescriptor taken = std::move(entry->descriptor);
    entries_.erase(entry);
    return taken;
  }
  return {};
}

std::string InheritedSockets::complaint() const {
  std::string text;
  for (const Entry& entry : entries_) {
    if (!text.empty()) text += ", ";
    text += entry.listens ? entry.address.text()
                          : cat("descriptor ", entry.descriptor.get(), " (no listening socket)");
    if (!entry.name.empty()) text += cat(" named ", entry.name);
  }
  if (text.empty()) return text;
  return cat("sockets that the service manager has opened are not used: ", text,
             "; give a listener exactly that address, or remove the socket from its unit");
}

}  // namespace linnet::net
