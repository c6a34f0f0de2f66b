#include "net/inherited_sockets.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cat.hpp"
#include "net/bind.hpp"

namespace linnet::net {
namespace {

/// Descriptors side by side, above all that the test has open; blocking and inherited by children,
/// as a service manager leaves them.
class Activation : public testing::Test {
 protected:
  static constexpr int kBase = 200;

  /// Binds and listens, and hands the socket over as the next descriptor.
  std::string hand_over(std::string_view text) {
    auto bound = bind_sockets(*parse_url(text), 1);
    EXPECT_TRUE(bound) << bound.error().text;
    bound->file.forget();
    place(bound->copies[0][0].get());
    EXPECT_EQ(::fcntl(kBase + count_ - 1, F_SETFL, 0), 0);
    return bound->url.text();
  }
  void place(int descriptor) {
    EXPECT_EQ(::dup2(descriptor, kBase + count_), kBase + count_);
    ++count_;
  }
  InheritedSockets adopt(std::string_view names = "") {
    return InheritedSockets::adopt(kBase, count_, names);
  }

  int count_ = 0;
};

auto bind_inherited(const std::string& url, InheritedSockets& inherited, unsigned copies = 1) {
  return bind_sockets(*parse_url(url), copies, {.inherited = &inherited});
}

TEST_F(Activation, a_socket_is_used_where_the_url_has_its_address) {
  const std::string url = hand_over("mqtt://127.0.0.1:0");
  InheritedSockets inherited = adopt();
  const auto bound = bind_inherited(url, inherited);
  ASSERT_TRUE(bound) << bound.error().text;
  ASSERT_EQ(bound->copies[0].size(), 1U);
  const int socket = bound->copies[0][0].get();
  EXPECT_EQ(socket, kBase);
  EXPECT_NE(::fcntl(socket, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(socket, F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(inherited.complaint(), "");
}

TEST_F(Activation, threads_wait_on_the_same_socket) {
  const std::string url = hand_over("mqtt://127.0.0.1:0");
  InheritedSockets inherited = adopt();
  const auto bound = bind_inherited(url, inherited, 3);
  ASSERT_TRUE(bound) << bound.error().text;
  for (const auto& copy : bound->copies) {
    ASSERT_EQ(copy.size(), 1U);
    EXPECT_EQ(cat("mqtt://", SocketAddress::of(copy[0].get()).text()), url);
  }
}

TEST_F(Activation, another_address_is_bound_as_ever_and_complained_about) {
  const std::string url = hand_over("mqtt://127.0.0.1:0");
  InheritedSockets inherited = adopt("mqtt.socket");
  const auto bound = bind_inherited("mqtt://127.0.0.1:0", inherited);
  ASSERT_TRUE(bound);
  EXPECT_NE(bound->url.text(), url);
  EXPECT_NE(inherited.complaint().find(url.substr(7) + " named mqtt.socket"), std::string::npos)
      << inherited.complaint();
}

TEST_F(Activation, all_addresses_are_one_socket_of_either_family) {
  for (const char* text : {"mqtt://0.0.0.0:0", "mqtt://*:0"}) {
    count_ = 0;
    const Url url = *parse_url(hand_over(text));
    InheritedSockets inherited = adopt();
    const auto bound = bind_inherited(cat("mqtt://*:", url.port), inherited, 2);
    ASSERT_TRUE(bound) << bound.error().text;
    EXPECT_EQ(bound->copies[0].size(), 1U);
    EXPECT_EQ(inherited.complaint(), "");
  }
}

TEST_F(Activation, a_unix_socket_is_found_by_its_path_and_left_there) {
  const std::string path = cat(testing::TempDir(), "linnet-inherited-", ::getpid(), ".sock");
  const std::string url = hand_over("unix:" + path);
  InheritedSockets inherited = adopt();
  {
    const auto bound = bind_inherited(url, inherited, 2);
    ASSERT_TRUE(bound) << bound.error().text;
    EXPECT_EQ(bound->copies[0][0].get(), kBase);
    EXPECT_EQ(bound->copies[1].size(), 1U);
  }
  EXPECT_EQ(::access(path.c_str(), F_OK), 0) << "it belongs to the service manager";
  ::unlink(path.c_str());
}

TEST_F(Activation, what_does_not_listen_is_not_used) {
  const FileDescriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  place(file.get());
  const FileDescriptor idle(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  place(idle.get());
  const FileDescriptor datagrams(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  place(datagrams.get());
  ++count_;  // and one that is not open
  InheritedSockets inherited = adopt("a:b::d");
  EXPECT_FALSE(inherited.take(SocketAddress::of(idle.get())));
  const std::string text = inherited.complaint();
  EXPECT_NE(text.find("descriptor 200 (no listening socket) named a, "), std::string::npos) << text;
  EXPECT_NE(text.find("descriptor 201 (no listening socket) named b, "), std::string::npos) << text;
  EXPECT_NE(text.find("descriptor 202 (no listening socket); "), std::string::npos) << text;
  EXPECT_EQ(text.find("203"), std::string::npos) << text;
}

struct Variables {
  Variables(const char* pid, const char* count) {
    ::setenv("LISTEN_PID", pid, 1);
    ::setenv("LISTEN_FDS", count, 1);
    ::setenv("LISTEN_FDNAMES", "x", 1);
  }
};

TEST_F(Activation, variables_for_another_process_or_with_nonsense_mean_nothing) {
  const std::string own = std::to_string(::getpid());
  const std::string foreign = std::to_string(::getppid());
  const std::pair<std::string, const char*> cases[] = {
      {foreign, "1"}, {"", "1"}, {own, ""}, {own, "0"}, {own, "-1"}, {own, "1x"}, {own, "99999"}};
  for (const auto& [pid, count] : cases) {
    const Variables variables(pid.c_str(), count);
    EXPECT_EQ(InheritedSockets::from_environment().complaint(), "") << pid << ' ' << count;
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
      EXPECT_EQ(std::getenv(name), nullptr) << name;
  }
}

}  // namespace
}  // namespace linnet::net
