#include "net/bind_unix.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cat.hpp"
#include "net/socket_address.hpp"

namespace linnet::net {

namespace {

constexpr auto kUnchanged = static_cast<unsigned>(-1);  // to chown()

BindError failed(const Url& url, int error, std::string_view what, std::string_view mend = "") {
  const std::error_code code(error, std::generic_category());
  return {code, cat(url.text(), ' ', what, ": ", code.message(), mend)};
}

std::optional<unsigned> number_of(const std::string& text) noexcept {
  unsigned number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return number;
}

std::optional<unsigned> user_of(const std::string& name) {
  if (name.empty()) return kUnchanged;
  if (const auto number = number_of(name)) return number;
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16'384> room;
  ::getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
  if (found == nullptr) return std::nullopt;
  return found->pw_uid;
}

std::optional<unsigned> group_of(const std::string& name) {
  if (name.empty()) return kUnchanged;
  if (const auto number = number_of(name)) return number;
  group entry{};
  group* found = nullptr;
  std::array<char, 16'384> room;
  ::getgrnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
  if (found == nullptr) return std::nullopt;
  return found->gr_gid;
}

/// A socket file that nobody listens on any more is left from a program that was killed.
void remove_stale(const SocketAddress& address, const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return;
  const FileDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(probe.get(), address.get(), address.size) != 0 && errno == ECONNREFUSED) {
    ::unlink(path.c_str());
  }
}

std::optional<BindError> bind_path(const FileDescriptor& socket, const SocketAddress& address,
                                   const Url& url) {
  if (::bind(socket.get(), address.get(), address.size) == 0) return std::nullopt;
  if (errno == EADDRINUSE) {
    return BindError{
        std::make_error_code(std::errc::address_in_use),
        cat(url.text(), " is in use by another program, or is a file of another kind; ",
            "stop it or choose another path")};
  }
  return failed(url, errno, "cannot be made", "; its folder has to exist and to be ours to write");
}

struct Owner {
  unsigned user = kUnchanged;
  unsigned group = kUnchanged;
};

/// By a descriptor of the socket's own file, since we may be root in a folder of somebody else, who
/// could put a link in its place.
std::optional<BindError> give_away(const Url& url, Owner owner, unsigned mode) {
  const FileDescriptor file(::open(url.path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat found {};
  if (!file || ::fstat(file.get(), &found) != 0) return failed(url, errno, "cannot be found");
  if (!S_ISSOCK(found.st_mode)) return failed(url, EEXIST, "was replaced by another file");
  if (::fchownat(file.get(), "", owner.user, owner.group, AT_EMPTY_PATH) != 0) {
    return failed(url, errno, "cannot be given to its owner and group",
                  "; start as root, or name a group that Linnet's user is in");
  }
  const std::string path = cat("/proc/self/fd/", file.get());
  if (::chmod(path.c_str(), mode) != 0) return failed(url, errno, "has no such mode");
  return std::nullopt;
}

}  // namespace

int share_out(FileDescriptor socket, BoundSockets& target) {
  for (std::size_t at = 1; at < target.copies.size(); ++at) {
    FileDescriptor copy(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) return errno;
    target.copies[at].push_back(std::move(copy));
  }
  target.copies.front().push_back(std::move(socket));
  return 0;
}

std::optional<BindError> bind_unix(const BindOptions& options, BoundSockets& target) {
  const Url& url = target.url;
  const auto user = user_of(options.owner);
  const auto group = group_of(options.group);
  if (!user || !group) {
    return BindError{std::make_error_code(std::errc::invalid_argument),
                     cat(url.text(), " is to belong to a ", !user ? "user" : "group", ' ',
                         !user ? options.owner : options.group,
                         " that this machine does not know; write a name or a number it knows")};
  }
  const SocketAddress address = SocketAddress::of_path(url.path);
  remove_stale(address, url.path);
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return failed(url, errno, "cannot be made");
  if (auto error = bind_path(socket, address, url)) return error;
  target.file = SocketFile(url.path);
  // Until it listens, every connect is refused: so there is no moment with wrong permissions.
  if (auto error = give_away(url, {*user, *group}, options.mode)) return error;
  if (::listen(socket.get(), SOMAXCONN) != 0) return failed(url, errno, "cannot be listened on");
  if (const int error = share_out(std::move(socket), target)) {
    return failed(url, error, "cannot be listened on");
  }
  return std::nullopt;
}

}  // namespace linnet::net
