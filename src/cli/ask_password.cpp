#include "cli/ask_password.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <string_view>
#include <termios.h>
#include <unistd.h>

#include "base/cat.hpp"

namespace linnet::cli {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

volatile std::sig_atomic_t caught_signal = 0;

extern "C" void remember_signal(int number) {
  caught_signal = number;
}

void say(std::string_view text) {
  // A prompt that nobody sees is no reason to stop.
  [[maybe_unused]] const auto count = ::write(STDERR_FILENO, text.data(), text.size());
}

/// Keeps the terminal from showing what is typed. A signal is heeded only after it shows things
/// again: else the shell would be left without an echo.
class NoEcho {
 public:
  NoEcho() {
    caught_signal = 0;
    sigset_t held;
    sigemptyset(&held);
    struct sigaction action {};
    action.sa_handler = &remember_signal;
    sigemptyset(&action.sa_mask);
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      ::sigaction(kSignals[i], nullptr, &old_actions_[i]);
      // What is ignored, as under nohup, stays so.
      if (old_actions_[i].sa_handler == SIG_IGN) continue;
      ::sigaction(kSignals[i], &action, nullptr);
      sigaddset(&held, kSignals[i]);
    }
    // Signals come while ready_to_read() waits, and at no other time.
    ::sigprocmask(SIG_BLOCK, &held, &old_mask_);
    if (::tcgetattr(STDIN_FILENO, &old_) != 0) return;
    termios silent = old_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= ECHONL;
    changed_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  ~NoEcho() {
    if (changed_) ::tcsetattr(STDIN_FILENO, TCSANOW, &old_);
    for (std::size_t i = 0; i < kSignals.size(); ++i)
      ::sigaction(kSignals[i], &old_actions_[i], nullptr);
    if (caught_signal != 0) ::raise(caught_signal);
    ::sigprocmask(SIG_SETMASK, &old_mask_, nullptr);
  }

  [[nodiscard]] bool works() const noexcept { return changed_; }
  /// False if a signal says to stop.
  [[nodiscard]] bool ready_to_read() const noexcept {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    while (::ppoll(&input, 1, nullptr, &old_mask_) < 0 && errno == EINTR && caught_signal == 0) {}
    return caught_signal == 0;
  }

 private:
  termios old_{};
  sigset_t old_mask_{};
  std::array<struct sigaction, kSignals.size()> old_actions_{};
  bool changed_ = false;
};

/// Byte by byte, so that what comes after the line is left to others. `terminal` is null if there
/// is none.
std::optional<auth::Secret> read_line(const NoEcho* terminal, std::string& error) {
  auth::Secret line;
  char byte = 0;
  ssize_t count = 0;
  while (true) {
    if (terminal != nullptr && !terminal->ready_to_read()) {
      error = "interrupted";
      return std::nullopt;
    }
    count = ::read(STDIN_FILENO, &byte, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || byte == '\n') break;
    // One more for a CR.
    if (line.view().size() > kPasswordBytesMax) break;
    line.append({&byte, 1});
  }
  byte = 0;
  if (count < 0) {
    error = "standard input cannot be read";
    return std::nullopt;
  }
  const std::string_view text = line.view();
  auth::Secret password(text.ends_with('\r') ? text.substr(0, text.size() - 1) : text);
  if (password.empty()) {
    error = "the password is empty";
  } else if (password.view().size() > kPasswordBytesMax) {
    error =
        cat("the password is longer than ", kPasswordBytesMax, " bytes, the most that MQTT has");
  } else {
    return password;
  }
  return std::nullopt;
}

std::optional<auth::Secret> ask_once(const std::string& prompt, std::string& error) {
  const NoEcho silence;
  if (!silence.works()) {
    error = "the terminal cannot be kept from showing the password; use a pipe instead";
    return std::nullopt;
  }
  say(prompt);
  return read_line(&silence, error);
}

}  // namespace

std::optional<auth::Secret> ask_password(const std::string& prompt, bool twice,
                                         std::string& error) {
  if (::isatty(STDIN_FILENO) == 0) return read_line(nullptr, error);
  auto password = ask_once(cat(prompt, ": "), error);
  if (!password || !twice) return password;
  const auto again = ask_once(cat(prompt, " once more: "), error);
  if (!again) return std::nullopt;
  if (again->view() == password->view()) return password;
  error = "the two passwords differ";
  return std::nullopt;
}

}  // namespace linnet::cli
