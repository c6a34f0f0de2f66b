#include "control/control.hpp"

#include <cstdlib>
#include <filesystem>
#include <future>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <boost/json.hpp>

#include "control/client.hpp"
#include "control/unix_address.hpp"

namespace linnet::control {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

class ControlTest : public testing::Test {
 protected:
  ControlTest() {
    std::string pattern = (fs::temp_directory_path() / "linnet-control-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    directory = pattern;
  }
  ~ControlTest() override {
    control.reset();
    fs::remove_all(directory);
  }

  void start() {
    control = Control::open(directory, error);
    ASSERT_TRUE(control) << error;
    control->add("echo", [](const json::object& request, json::object& answer) {
      answer["said"] = request.at("say");
      return std::string();
    });
    control->add("fail",
                 [](const json::object&, json::object&) { return std::string("it is broken"); });
    control->start();
  }
  bool ask_for(const json::object& request) { return ask(directory, request, reply, error); }

  /// A client that says anything.
  net::FileDescriptor connect_raw() {
    const UnixAddress address = unix_address(directory, kSocketName);
    net::FileDescriptor client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(client.get(), address.get(), sizeof address.address), 0);
    return client;
  }
  static void say(const net::FileDescriptor& client, std::string_view text) {
    while (!text.empty()) {
      const ssize_t size = ::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (size <= 0) return;  // it has heard enough
      text.remove_prefix(static_cast<std::size_t>(size));
    }
  }
  /// Up to the end of a line, or of the connection.
  static std::string hear(const net::FileDescriptor& client) {
    std::string line;
    char byte = 0;
    while (::recv(client.get(), &byte, 1, 0) == 1 && byte != '\n')
      line += byte;
    return line;
  }

  std::string directory;
  std::unique_ptr<Control> control;
  json::object reply;
  std::string error;
};

TEST_F(ControlTest, answers_what_is_asked) {
  start();
  EXPECT_TRUE(ask_for({{"command", "echo"}, {"say", "line\nbreak"}})) << error;
  EXPECT_EQ(reply, (json::object{{"said", "line\nbreak"}}));
}

TEST_F(ControlTest, an_error_is_said_and_the_next_request_served) {
  start();
  EXPECT_FALSE(ask_for({{"command", "fail"}}));
  EXPECT_EQ(error, "it is broken");
  EXPECT_FALSE(ask_for({{"command", "fly"}}));
  EXPECT_EQ(error, "unknown command fly");
  // A handler that throws costs its request, and nothing else.
  EXPECT_FALSE(ask_for({{"command", "echo"}}));
  EXPECT_NE(error.find("the broker failed"), std::string::npos) << error;
  EXPECT_TRUE(ask_for({{"command", "echo"}, {"say", 1}}));
}

TEST_F(ControlTest, several_requests_on_one_connection_in_pieces) {
  start();
  const auto client = connect_raw();
  say(client, "{\"command\":\"echo\",\"say\":1}\n{\"command\":\"ec");
  EXPECT_EQ(hear(client), "{\"ok\":true,\"said\":1}");
  say(client, "ho\",\"say\":2}\n");
  EXPECT_EQ(hear(client), "{\"ok\":true,\"said\":2}");
}

TEST_F(ControlTest, nonsense_is_answered) {
  start();
  const auto client = connect_raw();
  for (const char* line : {"nonsense\n", "\n", "[1]\n", "{\"say\":1}\n", "{\"command\":7}\n"}) {
    say(client, line);
    EXPECT_EQ(hear(client).find("{\"ok\":false,\"error\":\""), 0U) << line;
  }
}

TEST_F(ControlTest, a_line_without_end_is_refused) {
  start();
  const auto client = connect_raw();
  say(client, std::string(2 * kLineMax, 'x'));
  EXPECT_NE(hear(client).find("at most"), std::string::npos);
  EXPECT_EQ(hear(client), "");
  EXPECT_TRUE(ask_for({{"command", "echo"}, {"say", 1}}));
}

TEST_F(ControlTest, a_large_answer_arrives) {
  start();
  control.reset();
  control = Control::open(directory, error);
  control->add("large", [](const json::object&, json::object& answer) {
    answer["text"] = std::string(std::size_t{5} << 20, 'x');
    return std::string();
  });
  control->start();
  ASSERT_TRUE(ask_for({{"command", "large"}})) << error;
  EXPECT_EQ(reply.at("text").as_string().size(), std::size_t{5} << 20);
}

TEST_F(ControlTest, the_socket_is_private_and_goes_with_its_owner) {
  start();
  const std::string path = directory + "/" + kSocketName;
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  control.reset();
  EXPECT_FALSE(fs::exists(path));
  EXPECT_FALSE(ask_for({{"command", "echo"}}));
  EXPECT_NE(error.find(path), std::string::npos);
}

TEST_F(ControlTest, the_socket_of_a_dead_broker_is_replaced) {
  const UnixAddress address = unix_address(directory, kSocketName);
  {
    const net::FileDescriptor dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(dead.get(), address.get(), sizeof address.address), 0);
  }
  EXPECT_FALSE(ask_for({{"command", "echo"}}));
  start();
  EXPECT_TRUE(ask_for({{"command", "echo"}, {"say", 1}})) << error;
}

TEST_F(ControlTest, a_silent_client_does_not_delay_the_end) {
  start();
  const auto client = connect_raw();
  say(client, "{\"command\":");
  control.reset();
  EXPECT_EQ(hear(client), "");
}

TEST_F(ControlTest, a_handler_that_runs_is_waited_for) {
  control = Control::open(directory, error);
  std::promise<void> begun;
  std::promise<void> go_on;
  control->add("slow", [&](const json::object&, json::object&) {
    begun.set_value();
    go_on.get_future().wait();
    return std::string();
  });
  control->start();
  auto asked = std::async(std::launch::async, [&] { return ask_for({{"command", "slow"}}); });
  begun.get_future().wait();
  auto ended = std::async(std::launch::async, [&] { control.reset(); });
  go_on.set_value();
  ended.wait();
  EXPECT_TRUE(asked.get()) << error;
}

TEST_F(ControlTest, a_directory_with_a_long_path) {
  const std::string base = directory;
  directory += "/" + std::string(100, 'd') + "/" + std::string(100, 'e');
  fs::create_directories(directory);
  start();
  EXPECT_TRUE(ask_for({{"command", "echo"}, {"say", 1}})) << error;
  control.reset();
  directory = base;
}

TEST_F(ControlTest, a_directory_that_is_not_there) {
  EXPECT_FALSE(Control::open(directory + "/nowhere", error));
  EXPECT_NE(error.find("/nowhere/control.sock"), std::string::npos) << error;
}

}  // namespace
}  // namespace linnet::control
