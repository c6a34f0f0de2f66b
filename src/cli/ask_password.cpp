#include "cli/ask_password.hpp"

#include <array>
#include <cerrno>
#include <csignal>
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

/// Keeps the terminal from showing what is typed. A signal comes only after it shows things again:
/// else the shell would be left without an echo.
class NoEcho {
 public:
  NoEcho() {
    caught_signal = 0;
    struct sigaction action {};
    action.sa_handler = &remember_signal;  // no SA_RESTART: read() has to return
    sigemptyset(&action.sa_mask);
    for (std::size_t i = 0; i < kSignals.size(); ++i)
      ::sigaction(kSignals[i], &action, &old_actions_[i]);
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
  }

  [[nodiscard]] bool works() const noexcept { return changed_; }

 private:
  termios old_{};
  std::array<struct sigaction, kSignals.size()> old_actions_{};
  bool changed_ = false;
};

/// Byte by byte, so that what comes after the line is left to others.
std::optional<auth::Secret> read_line(std::string& error) {
  auth::Secret line;
  char byte = 0;
  ssize_t count = 0;
  while ((count = ::read(STDIN_FILENO, &byte, 1)) != 0) {
    if (count < 0 && errno == EINTR && caught_signal == 0) continue;
    if (count < 0 || byte == '\n') break;
    // One more for a CR.
    if (line.view().size() > kPasswordBytesMax) break;
    line.append({&byte, 1});
  }
  byte = 0;
  if (count < 0) {
    error = caught_signal != 0 ? "interrupted" : "standard input cannot be read";
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
  return read_line(error);
}

}  // namespace

std::optional<auth::Secret> ask_password(const std::string& prompt, bool twice,
                                         std::string& error) {
  if (::isatty(STDIN_FILENO) == 0) return read_line(error);
  auto password = ask_once(cat(prompt, ": "), error);
  if (!password || !twice) return password;
  const auto again = ask_once(cat(prompt, " once more: "), error);
  if (!again) return std::nullopt;
  if (again->view() == password->view()) return password;
  error = "the two passwords differ";
  return std::nullopt;
}

}  // namespace linnet::cli
