#include "net/service_manager.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cat.hpp"

namespace linnet::net {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

/// The service manager's end: it reads what it is told.
class Told {
 public:
  explicit Told(std::string name) : name_(std::move(name)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name_.data(), name_.size());
    const bool abstract = name_.front() == '@';
    if (abstract) address.sun_path[0] = '\0';
    const std::size_t size = offsetof(sockaddr_un, sun_path) + name_.size() + (abstract ? 0 : 1);
    socket_ = FileDescriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    bound_ = ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address),
                    static_cast<socklen_t>(size)) == 0;
  }
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;
  ~Told() {
    if (name_.front() == '/') ::unlink(name_.c_str());
  }

  [[nodiscard]] bool bound() const noexcept { return bound_; }
  /// The next piece of news, "" if there is none.
  [[nodiscard]] std::string next() const {
    std::array<char, 8192> room{};
    const auto size = ::recv(socket_.get(), room.data(), room.size(), 0);
    return size <= 0 ? "" : std::string(room.data(), static_cast<std::size_t>(size));
  }

 private:
  std::string name_;
  FileDescriptor socket_;
  bool bound_ = false;
};

std::string some_path() {
  return cat(::testing::TempDir(), "linnet-notify-", ::getpid(), ".sock");
}

class ServiceManagerTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(told_.bound()); }

  Told told_{some_path()};
  ServiceManager manager_{{some_path(), microseconds(30'000'000)}};
};

TEST_F(ServiceManagerTest, AWholeLife) {
  EXPECT_TRUE(manager_.present());
  EXPECT_EQ(manager_.watchdog(), milliseconds(30'000));
  manager_.starting("opening the store");
  EXPECT_EQ(told_.next(), "STATUS=opening the store\n");
  manager_.ready("0 clients");
  EXPECT_EQ(told_.next(), "READY=1\nSTATUS=0 clients\n");
  manager_.alive("1 client");
  EXPECT_EQ(told_.next(), "WATCHDOG=1\nSTATUS=1 client\n");
  manager_.alive("1 client");
  EXPECT_EQ(told_.next(), "WATCHDOG=1\n");  // the status is no news
  EXPECT_FALSE(manager_.stops());
  manager_.stopping("stopping");
  EXPECT_EQ(told_.next(), "STOPPING=1\nSTATUS=stopping\n");
  EXPECT_TRUE(manager_.stops());
  EXPECT_EQ(told_.next(), "");
}

TEST_F(ServiceManagerTest, AReloadHasATimeAndAnEnd) {
  manager_.ready("1 client");
  EXPECT_NE(told_.next(), "");
  manager_.reloading();
  const std::string reloading = told_.next();
  ASSERT_TRUE(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC=")) << reloading;
  const auto us =
      std::strtoull(reloading.c_str() + std::strlen("RELOADING=1\nMONOTONIC_USEC="), nullptr, 10);
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  EXPECT_GT(us, 0U);
  EXPECT_LE(us / 1'000'000, static_cast<std::uint64_t>(now.tv_sec));
  manager_.alive("2 clients");
  EXPECT_EQ(told_.next(), "WATCHDOG=1\n");  // what is said of the reload stays
  manager_.reloaded("");
  EXPECT_EQ(told_.next(), "READY=1\nSTATUS=1 client\n");
}

TEST_F(ServiceManagerTest, WhatAReloadHasFoundStaysInTheStatus) {
  manager_.ready("1 client");
  manager_.reloading();
  manager_.reloaded("the last reload failed: x.toml:1: y");
  EXPECT_NE(told_.next(), "");
  EXPECT_NE(told_.next(), "");
  EXPECT_EQ(told_.next(), "READY=1\nSTATUS=1 client; the last reload failed: x.toml:1: y\n");
  manager_.alive("2 clients");
  EXPECT_EQ(told_.next(), "WATCHDOG=1\nSTATUS=2 clients; the last reload failed: x.toml:1: y\n");
  manager_.reloading();
  manager_.reloaded("");
  EXPECT_NE(told_.next(), "");
  EXPECT_EQ(told_.next(), "READY=1\nSTATUS=2 clients\n");
}

TEST_F(ServiceManagerTest, NewsThatComesTooLateOrTooEarlyIsNotSent) {
  manager_.reloading();  // it is not ready yet
  manager_.reloaded("");
  EXPECT_EQ(told_.next(), "");
  manager_.ready("1 client");
  manager_.ready("1 client");
  EXPECT_EQ(told_.next(), "READY=1\nSTATUS=1 client\n");
  EXPECT_EQ(told_.next(), "");
  manager_.reloading();
  EXPECT_NE(told_.next(), "");
  manager_.stopping("stopping");
  EXPECT_EQ(told_.next(), "STOPPING=1\nSTATUS=stopping\n");
  manager_.reloaded("");
  manager_.ready("1 client");
  manager_.stopping("again");
  EXPECT_EQ(told_.next(), "");
  manager_.alive("1 client");  // but it is still there
  EXPECT_EQ(told_.next(), "WATCHDOG=1\n");
}

TEST_F(ServiceManagerTest, NoTextCanForgeALine) {
  manager_.ready(std::string("bad\nWATCHDOG_USEC=1\x1b") + std::string(20'000, '\x01'));
  const std::string news = told_.next();
  EXPECT_TRUE(news.starts_with("READY=1\nSTATUS=bad\\nWATCHDOG_USEC=1\\x1b\\x01")) << news;
  EXPECT_LT(news.size(), 4096U);
  EXPECT_EQ(news.find('\n', 8), news.size() - 1);
}

TEST(ServiceManager, AbstractNames) {
  const std::string name = cat("@linnet-notify-", ::getpid());
  const Told told(name);
  ASSERT_TRUE(told.bound());
  ServiceManager manager({name, microseconds(0)});
  EXPECT_EQ(manager.watchdog(), std::nullopt);
  manager.ready("here");
  EXPECT_EQ(told.next(), "READY=1\nSTATUS=here\n");
}

TEST(ServiceManager, WithoutOneNothingIsSent) {
  for (const std::string& name :
       {std::string(), std::string("relative"), std::string("@"), "/" + std::string(200, 'x'),
        std::string("/nonexistent/notify.sock")}) {
    ServiceManager manager({name, microseconds(1'000'000)});
    if (!name.starts_with("/nonexistent")) {
      EXPECT_FALSE(manager.present()) << name;
      EXPECT_EQ(manager.watchdog(), std::nullopt);
    }
    manager.ready("here");
    manager.alive("here");
    manager.stopping("stopping");
    EXPECT_TRUE(manager.stops());
  }
}

class ServiceEnvironmentTest : public ::testing::Test {
 protected:
  static void set(const char* socket, const std::string& time, const std::string& process) {
    ::setenv("NOTIFY_SOCKET", socket, 1);
    ::setenv("WATCHDOG_USEC", time.c_str(), 1);
    if (process.empty()) {
      ::unsetenv("WATCHDOG_PID");
    } else {
      ::setenv("WATCHDOG_PID", process.c_str(), 1);
    }
  }
};

TEST_F(ServiceEnvironmentTest, IsTakenOnce) {
  set("/run/notify", "500000", cat(::getpid()));
  const auto environment = ServiceEnvironment::take();
  EXPECT_EQ(environment.socket, "/run/notify");
  EXPECT_EQ(environment.watchdog, microseconds(500'000));
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
    EXPECT_EQ(std::getenv(name), nullptr) << name;
  EXPECT_EQ(ServiceEnvironment::take().socket, "");
}

TEST_F(ServiceEnvironmentTest, AWatchdogOfAnotherProcessIsNotOurs) {
  set("/run/notify", "500000", cat(::getpid() + 1));
  EXPECT_EQ(ServiceEnvironment::take().watchdog, microseconds(0));
  set("/run/notify", "500000", "");
  EXPECT_EQ(ServiceEnvironment::take().watchdog, microseconds(500'000));
}

TEST_F(ServiceEnvironmentTest, TimesThatAreNone) {
  for (const char* text :
       {"", "soon", "-1", "1x", "99999999999999999999", "18446744073709551615"}) {
    set("/run/notify", text, "");
    EXPECT_EQ(ServiceEnvironment::take().watchdog, microseconds(0)) << text;
  }
}

}  // namespace
}  // namespace linnet::net
