#include "net/bind.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cat.hpp"

namespace linnet::net {
namespace {

auto bind_text(std::string_view text, unsigned copies = 1, const BindOptions& options = {}) {
  return bind_sockets(*parse_url(text), copies, options);
}

FileDescriptor connect_to(const SocketAddress& address) {
  FileDescriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), address.get(), address.size) != 0) return {};
  return socket;
}

SocketAddress loopback(int family, std::uint16_t port) {
  SocketAddress address;
  address.storage.ss_family = static_cast<sa_family_t>(family);
  if (family == AF_INET) {
    reinterpret_cast<sockaddr_in&>(address.storage).sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.size = sizeof(sockaddr_in);
  } else {
    reinterpret_cast<sockaddr_in6&>(address.storage).sin6_addr = in6addr_loopback;
    address.size = sizeof(sockaddr_in6);
  }
  address.set_port(port);
  return address;
}

bool has_ipv6() {
  return bool(bind_text("mqtt://[::1]:0"));
}

int option(const FileDescriptor& socket, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(socket.get(), level, name, &value, &size), 0);
  return value;
}

/// A folder of its own for the files of Unix sockets.
class BindUnix : public testing::Test {
 protected:
  BindUnix() {
    std::string name = testing::TempDir() + "linnet-bind-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ + "/mqtt.sock";
    url_ = "unix:" + path_;
  }
  ~BindUnix() override {
    ::unlink(path_.c_str());
    ::rmdir(folder_.c_str());
  }

  [[nodiscard]] struct stat status() const {
    struct stat found {};
    EXPECT_EQ(::lstat(path_.c_str(), &found), 0);
    return found;
  }
  [[nodiscard]] bool exists() const { return ::access(path_.c_str(), F_OK) == 0; }

  std::string folder_;
  std::string path_;
  std::string url_;
};

TEST(Bind, a_port_in_use_is_a_clear_error) {
  for (const unsigned copies : {1U, 2U}) {
    const auto bound = bind_text("mqtt://127.0.0.1:0", copies);
    ASSERT_TRUE(bound);
    const auto url = bound->url.text();
    for (const unsigned others : {1U, 2U}) {
      const auto again = bind_sockets(bound->url, others);
      ASSERT_FALSE(again) << copies << ' ' << others;
      EXPECT_EQ(again.error().text,
                url + " is in use by another program; stop it or choose another port");
    }
  }
}

TEST(Bind, copies_share_one_port) {
  const auto bound = bind_text("mqtt://127.0.0.1:0", 3);
  ASSERT_TRUE(bound);
  ASSERT_EQ(bound->copies.size(), 3U);
  for (const auto& copy : bound->copies) {
    ASSERT_EQ(copy.size(), 1U);
    sockaddr_in name{};
    socklen_t size = sizeof name;
    ASSERT_EQ(::getsockname(copy[0].get(), reinterpret_cast<sockaddr*>(&name), &size), 0);
    EXPECT_EQ(ntohs(name.sin_port), bound->url.port);
  }
}

TEST(Bind, all_addresses_take_both_families) {
  for (const char* url : {"mqtt://*:0", "mqtt://[::]:0", "mqtt://[0::0]:0"}) {
    if (url[7] == '[' && !has_ipv6()) continue;
    const auto bound = bind_text(url);
    ASSERT_TRUE(bound) << bound.error().text;
    EXPECT_TRUE(connect_to(loopback(AF_INET, bound->url.port))) << url;
    EXPECT_EQ(bool(connect_to(loopback(AF_INET6, bound->url.port))), has_ipv6()) << url;
  }
}

TEST(Bind, one_family_is_that_alone) {
  const auto ipv4 = bind_text("mqtt://0.0.0.0:0");
  ASSERT_TRUE(ipv4);
  EXPECT_TRUE(connect_to(loopback(AF_INET, ipv4->url.port)));
  EXPECT_FALSE(connect_to(loopback(AF_INET6, ipv4->url.port)));
  if (!has_ipv6()) return;
  const auto ipv6 = bind_text("mqtt://[::1]:0");
  ASSERT_TRUE(ipv6);
  EXPECT_TRUE(connect_to(loopback(AF_INET6, ipv6->url.port)));
  EXPECT_FALSE(connect_to(loopback(AF_INET, ipv6->url.port)));
}

TEST(Bind, a_name_is_all_of_its_addresses) {
  const auto bound = bind_text("mqtt://localhost:0", 2);
  ASSERT_TRUE(bound) << bound.error().text;
  for (const auto& copy : bound->copies) {
    ASSERT_FALSE(copy.empty());
    for (const FileDescriptor& socket : copy) {
      const SocketAddress address = SocketAddress::of(socket.get());
      EXPECT_EQ(address.port(), bound->url.port);
      EXPECT_TRUE(connect_to(address)) << address.text();
    }
  }
}

TEST(Bind, connections_inherit_keep_alive) {
  const auto bound = bind_text("mqtt://127.0.0.1:0");
  ASSERT_TRUE(bound);
  const auto client = connect_to(loopback(AF_INET, bound->url.port));
  const FileDescriptor accepted(::accept(bound->copies[0][0].get(), nullptr, nullptr));
  ASSERT_TRUE(accepted);
  EXPECT_EQ(option(accepted, SOL_SOCKET, SO_KEEPALIVE), 1);
  const int silence_s =
      option(accepted, IPPROTO_TCP, TCP_KEEPIDLE) +
      option(accepted, IPPROTO_TCP, TCP_KEEPINTVL) * option(accepted, IPPROTO_TCP, TCP_KEEPCNT);
  EXPECT_EQ(silence_s, 600);
}

TEST(Bind, an_address_may_come_later) {
  for (const unsigned copies : {1U, 2U}) {
    const auto bound = bind_text("mqtt://192.0.2.1:0", copies, {.free_bind = true});
    ASSERT_TRUE(bound) << bound.error().text;
    EXPECT_EQ(bound->copies.back().size(), 1U);
  }
  const auto ipv6 = bind_text("mqtt://[2001:db8::1]:0", 1, {.free_bind = true});
  EXPECT_EQ(bool(ipv6), has_ipv6());
}

TEST(Bind, other_errors_say_what_to_do) {
  const auto foreign = bind_text("mqtt://192.0.2.1:1883");
  ASSERT_FALSE(foreign);
  EXPECT_NE(foreign.error().text.find("not an address of this machine"), std::string::npos);
  EXPECT_NE(foreign.error().text.find("free_bind"), std::string::npos);
  // A label of 64 letters is refused before any name server is asked.
  const auto unknown = bind_text("mqtt://" + std::string(64, 'x') + ".invalid:1883");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().text.find("cannot be found"), std::string::npos);
}

TEST_F(BindUnix, is_taken_over_only_from_the_dead) {
  {
    auto bound = bind_text(url_, 2);
    ASSERT_TRUE(bound) << bound.error().text;
    ASSERT_EQ(bound->copies[1].size(), 1U);
    const auto again = bind_text(url_);
    ASSERT_FALSE(again);
    EXPECT_NE(again.error().text.find("choose another path"), std::string::npos);
    EXPECT_TRUE(exists());
    bound->file.forget();
  }
  EXPECT_TRUE(exists());
  EXPECT_TRUE(bind_text(url_)) << "the file is there, but nobody listens";
}

TEST_F(BindUnix, a_file_of_another_kind_stays) {
  std::ofstream(path_) << "precious";
  const auto bound = bind_text(url_);
  ASSERT_FALSE(bound);
  EXPECT_NE(bound.error().text.find("another kind"), std::string::npos);
  EXPECT_TRUE(S_ISREG(status().st_mode));
}

TEST_F(BindUnix, its_file_goes_with_it) {
  {
    const auto bound = bind_text(url_);
    ASSERT_TRUE(bound);
    EXPECT_TRUE(exists());
    EXPECT_TRUE(connect_to(SocketAddress::of_path(path_)));
  }
  EXPECT_FALSE(exists());
}

TEST_F(BindUnix, the_file_of_a_successor_stays) {
  auto first = bind_text(url_);
  ASSERT_TRUE(first);
  ASSERT_EQ(::rename(path_.c_str(), (path_ + "2").c_str()), 0);
  const auto second = bind_text(url_);
  ASSERT_TRUE(second);
  first->file.remove();
  EXPECT_TRUE(exists());
  ::unlink((path_ + "2").c_str());
}

TEST_F(BindUnix, has_the_mode_whatever_the_umask) {
  const mode_t before = ::umask(0077);
  for (const unsigned mode : {0660U, 0600U, 0777U}) {
    const auto bound = bind_text(url_, 1, {.mode = mode});
    ASSERT_TRUE(bound) << bound.error().text;
    EXPECT_EQ(status().st_mode & 07777U, mode);
  }
  EXPECT_TRUE(bind_text(url_));
  ::umask(before);
}

TEST_F(BindUnix, belongs_to_whom_it_is_given) {
  const std::string own_group = std::to_string(::getegid());
  const auto own = bind_text(url_, 1, {.owner = std::to_string(::geteuid()), .group = own_group});
  ASSERT_TRUE(own) << own.error().text;
  EXPECT_EQ(status().st_uid, ::geteuid());
  EXPECT_EQ(status().st_gid, ::getegid());
}

TEST_F(BindUnix, names_are_looked_up) {
  const auto root = bind_text(url_, 1, {.owner = "root", .group = "daemon"});
  if (::geteuid() == 0) {
    ASSERT_TRUE(root) << root.error().text;
    EXPECT_EQ(status().st_uid, 0U);
    EXPECT_EQ(status().st_gid, 1U);
  } else {
    ASSERT_FALSE(root);
    EXPECT_NE(root.error().text.find("cannot be given"), std::string::npos);
    EXPECT_FALSE(exists()) << "nothing is left behind";
  }
}

TEST_F(BindUnix, an_unknown_name_is_an_error_before_anything_is_made) {
  const auto user = bind_text(url_, 1, {.owner = "no-such-user"});
  ASSERT_FALSE(user);
  EXPECT_NE(user.error().text.find("a user no-such-user that"), std::string::npos);
  const auto group = bind_text(url_, 1, {.group = "no-such-group"});
  ASSERT_FALSE(group);
  EXPECT_NE(group.error().text.find("a group no-such-group that"), std::string::npos);
  EXPECT_FALSE(exists());
}

TEST_F(BindUnix, a_missing_folder_says_so) {
  const auto bound = bind_text("unix:" + folder_ + "/none/mqtt.sock");
  ASSERT_FALSE(bound);
  EXPECT_NE(bound.error().text.find("its folder has to exist"), std::string::npos);
}

}  // namespace
}  // namespace linnet::net
