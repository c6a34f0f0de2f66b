#include "control/control.hpp"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <vector>

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

/// Says a number whenever it is asked, until it is told to end.
class Counting final : public Conversation {
 public:
  struct State {
    std::atomic<int> wanted{0};
    std::atomic<bool> ends{false};
    std::atomic<int> alive{0};
    std::atomic<Waker*> waker{nullptr};
  };
  Counting(State& state, bool endless) : state_(state), endless_(endless) { ++state_.alive; }
  ~Counting() override { --state_.alive; }

  bool speak(std::string& output) override {
    while (said_ < state_.wanted && output.size() < kOutputMax)
      output += "{\"n\":" + std::to_string(++said_) + "}\n";
    return !state_.ends || said_ < state_.wanted;
  }
  std::uint64_t due_ms() const override { return ~std::uint64_t{0}; }
  bool endless() const noexcept override { return endless_; }

 private:
  State& state_;
  const bool endless_;
  int said_ = 0;
};

class ConversationTest : public ControlTest {
 protected:
  void start(bool endless) {
    control = Control::open(directory, error);
    ASSERT_TRUE(control) << error;
    control->add("echo", [](const json::object& request, json::object& answer) {
      answer["said"] = request.at("say");
      return std::string();
    });
    control->add_conversation("count",
                              [this, endless](const json::object& request, Waker& waker,
                                              std::string& why) -> std::unique_ptr<Conversation> {
                                state.waker = &waker;
                                if (request.contains("refuse")) {
                                  why = "not now";
                                  return nullptr;
                                }
                                return std::make_unique<Counting>(state, endless);
                              });
    control->start();
  }
  net::FileDescriptor counts() {
    auto client = connect_raw();
    say(client, "{\"command\":\"count\"}\n");
    return client;
  }
  void want(int numbers) {
    state.wanted = numbers;
    state.waker.load()->wake();
  }
  void wait_until_alive(int count) {
    while (state.alive != count)
      std::this_thread::yield();
  }

  Counting::State state;
};

TEST_F(ConversationTest, speaks_when_it_is_woken_while_others_are_served) {
  start(true);
  const auto client = counts();
  wait_until_alive(1);
  ASSERT_TRUE(ask_for({{"command", "echo"}, {"say", 1}})) << error;
  want(1);
  EXPECT_EQ(hear(client), "{\"n\":1}");
  ASSERT_TRUE(ask_for({{"command", "echo"}, {"say", 2}})) << error;
  want(3);
  EXPECT_EQ(hear(client), "{\"n\":2}");
  EXPECT_EQ(hear(client), "{\"n\":3}");
}

TEST_F(ConversationTest, the_next_request_waits_for_its_end) {
  start(false);
  const auto client = connect_raw();
  say(client, "{\"command\":\"count\"}\n{\"command\":\"echo\",\"say\":7}\n");
  wait_until_alive(1);
  want(1);
  EXPECT_EQ(hear(client), "{\"n\":1}");
  state.ends = true;
  want(2);
  EXPECT_EQ(hear(client), "{\"n\":2}");
  EXPECT_EQ(hear(client), "{\"ok\":true,\"said\":7}");
  EXPECT_EQ(state.alive, 0);
}

TEST_F(ConversationTest, ends_with_its_client) {
  start(true);
  auto client = counts();
  wait_until_alive(1);
  client.close();
  wait_until_alive(0);
}

TEST_F(ConversationTest, one_that_has_an_end_outlives_the_end_of_the_requests) {
  start(false);
  const auto client = counts();
  ::shutdown(client.get(), SHUT_WR);
  wait_until_alive(1);
  state.ends = true;
  want(1);
  EXPECT_EQ(hear(client), "{\"n\":1}");
  EXPECT_EQ(hear(client), "");
}

TEST_F(ConversationTest, what_is_not_read_is_not_said) {
  start(true);
  const auto client = counts();
  wait_until_alive(1);
  constexpr int kMany = 1'000'000;
  want(kMany);
  // The thread is not held up by it.
  ASSERT_TRUE(ask_for({{"command", "echo"}, {"say", 1}})) << error;
  for (int i = 1; i <= 100'000; ++i)
    ASSERT_EQ(hear(client), "{\"n\":" + std::to_string(i) + "}");
}

TEST_F(ConversationTest, places_are_bounded) {
  start(true);
  std::vector<net::FileDescriptor> clients;
  for (std::size_t i = 0; i < kEndlessMax; ++i)
    clients.push_back(counts());
  wait_until_alive(static_cast<int>(kEndlessMax));
  const auto refused = counts();
  EXPECT_NE(hear(refused).find("already"), std::string::npos);
  EXPECT_TRUE(ask_for({{"command", "echo"}, {"say", 1}})) << error;
  clients.clear();
  wait_until_alive(0);
  EXPECT_FALSE(ask_for({{"command", "count"}, {"refuse", true}}));
  EXPECT_EQ(error, "not now");
}

TEST_F(ConversationTest, more_clients_than_places_are_served_one_after_the_other) {
  start(false);
  std::vector<net::FileDescriptor> silent;
  for (std::size_t i = 0; i < kClientsMax - 1; ++i)
    silent.push_back(connect_raw());
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(ask_for({{"command", "echo"}, {"say", i}})) << error;
  silent.push_back(connect_raw());
  auto asked = std::async(std::launch::async, [&] {
    return ask_for({{"command", "echo"}, {"say", 1}});
  });
  silent.clear();
  EXPECT_TRUE(asked.get()) << error;
}

TEST_F(ConversationTest, the_socket_ends_while_it_speaks) {
  start(true);
  const auto client = counts();
  wait_until_alive(1);
  control.reset();
  EXPECT_EQ(state.alive, 0);
  EXPECT_EQ(hear(client), "");
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
