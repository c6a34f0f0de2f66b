#include "store_broker.hpp"

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "wire.hpp"

namespace linnet::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::microseconds kLook{500};
constexpr std::chrono::minutes kStartTimeout{2};

std::int64_t now_ns() {
  return std::chrono::nanoseconds(Clock::now().time_since_epoch()).count();
}

// Between fork and exec.
[[noreturn]] void become(const std::vector<char*>& arguments, int log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execv(arguments[0], arguments.data());
  std::_Exit(127);
}

bool listens(std::uint32_t port) {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr generic{};
  std::memcpy(&generic, &address, sizeof address);
  return ::connect(socket.get(), &generic, sizeof generic) == 0;
}

// Free now; whoever is quick could still take it.
std::uint32_t free_port() {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr generic{};
  std::memcpy(&generic, &address, sizeof address);
  socklen_t size = sizeof generic;
  if (::bind(socket.get(), &generic, sizeof generic) != 0 ||
      ::getsockname(socket.get(), &generic, &size) != 0) {
    fail_errno("no free port");
  }
  std::memcpy(&address, &generic, sizeof address);
  return ntohs(address.sin_port);
}

}  // namespace

RunningBroker RunningBroker::linnet(const std::string& binary, const std::string& folder,
                                    const std::vector<std::string>& settings,
                                    const std::string& listeners) {
  // Without core dumps only root could read what the process has written (/proc/PID/io).
  std::vector<std::string> arguments{binary,           "run",   "--data-dir",
                                     folder + "/data", "--set", "core_dumps=true"};
  if (listeners.empty()) {
    arguments.insert(arguments.end(), {"--listen", "mqtt://127.0.0.1:0"});
  } else {
    const auto configuration = folder + "/linnet.toml";
    std::ofstream(configuration) << listeners;
    arguments.insert(arguments.end(), {"--config", configuration});
  }
  for (const auto& setting : settings) {
    arguments.emplace_back("--set");
    arguments.push_back(setting);
  }
  RunningBroker broker(arguments, folder + "/log");
  broker.wait_for_log("broker: ready");
  const auto ports = broker.ports();
  if (ports.empty()) broker.fail_to_start();
  broker.target_.port = ports.front();
  return broker;
}

RunningBroker RunningBroker::mosquitto(const std::string& binary, const std::string& folder,
                                       const std::string& listener_lines) {
  const auto port = free_port();
  const auto configuration = folder + "/mosquitto.conf";
  std::ofstream(configuration) << "listener " << port << " 127.0.0.1\n"
                               << listener_lines
                               << "allow_anonymous true\n"
                               // Another user could not read what is in the folder.
                               << (::geteuid() == 0 ? "user root\n" : "")
                               << "max_queued_messages 0\n"
                               << "max_inflight_messages 100\n";
  RunningBroker broker({binary, "-c", configuration}, folder + "/log");
  broker.target_.port = port;
  broker.wait_for_port();
  return broker;
}

RunningBroker::RunningBroker(const std::vector<std::string>& arguments, std::string log_path)
    : log_path_(std::move(log_path)) {
  auto kept = arguments;
  std::vector<char*> pointers;
  for (auto& argument : kept)
    pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const Descriptor log(
      ::open(log_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  began_ns_ = now_ns();
  process_ = ::fork();
  if (process_ < 0) fail_errno("fork");
  if (process_ == 0) become(pointers, log.get());
  target_.pid = static_cast<std::uint32_t>(process_);
}

RunningBroker::RunningBroker(RunningBroker&& other) noexcept
    : log_path_(std::move(other.log_path_)),
      target_(other.target_),
      process_(std::exchange(other.process_, -1)),
      began_ns_(other.began_ns_),
      ready_after_ms_(other.ready_after_ms_) {}

RunningBroker::~RunningBroker() {
  end(SIGTERM);
}

std::string RunningBroker::log() const {
  std::ostringstream text;
  text << std::ifstream(log_path_).rdbuf();
  return text.str();
}

std::vector<std::uint32_t> RunningBroker::ports() const {
  constexpr auto kListening = "listening on "sv;
  constexpr auto kHost = "://127.0.0.1:"sv;
  const auto text = log();
  std::vector<std::uint32_t> ports;
  for (auto at = text.find(kListening); at != std::string::npos;
       at = text.find(kListening, at + 1)) {
    const auto host = text.find(kHost, at);
    if (host == std::string::npos) break;
    std::uint32_t port = 0;
    std::from_chars(text.data() + host + kHost.size(), text.data() + text.size(), port);
    ports.push_back(port);
  }
  return ports;
}

void RunningBroker::end(int signal) {
  if (process_ < 0) return;
  ::kill(process_, signal);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {}
  process_ = -1;
}

void RunningBroker::wait_for_log(const std::string& line) {
  const auto deadline = Clock::now() + kStartTimeout;
  for (auto text = log();; text = log()) {
    if (text.find(line) != std::string::npos) {
      ready_after_ms_ = static_cast<double>(now_ns() - began_ns_) / 1e6;
      return;
    }
    if (::waitpid(process_, nullptr, WNOHANG) != 0) {
      process_ = -1;
      fail_to_start();
    }
    if (Clock::now() > deadline) fail_to_start();
    std::this_thread::sleep_for(kLook);
  }
}

void RunningBroker::wait_for_port() {
  const auto deadline = Clock::now() + kStartTimeout;
  while (!listens(target_.port)) {
    if (Clock::now() > deadline) fail_to_start();
    if (::waitpid(process_, nullptr, WNOHANG) != 0) {
      process_ = -1;
      fail_to_start();
    }
    std::this_thread::sleep_for(kLook);
  }
  ready_after_ms_ = static_cast<double>(now_ns() - began_ns_) / 1e6;
}

void RunningBroker::fail_to_start() {
  fail("a broker did not start:\n" + log());
}

}  // namespace linnet::bench
