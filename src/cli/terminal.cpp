#include "cli/terminal.hpp"

#include <array>
#include <cerrno>
#include <poll.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cat.hpp"
#include "cli/answer_text.hpp"

namespace linnet::cli {

namespace {

constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";  // another screen, no cursor
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kClearLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";

/// False if nobody is there any more.
bool write_all(std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t size = ::write(STDOUT_FILENO, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

sigset_t asked_for() noexcept {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, SIGCONT, SIGWINCH})
    sigaddset(&set, signal);
  return set;
}

}  // namespace

Terminal::Terminal() {
  const sigset_t set = asked_for();
  pthread_sigmask(SIG_BLOCK, &set, &mask_before_);
  signals_ = net::FileDescriptor(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  has_keys_ = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &before_) == 0;
  enter();
}

Terminal::~Terminal() {
  leave();
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void Terminal::enter() {
  if (has_keys_) {
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // Ctrl+C stays a signal
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
  }
  static_cast<void>(write_all(kEnter));
}

void Terminal::leave() {
  static_cast<void>(write_all(kLeave));
  if (has_keys_) tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
}

Terminal::Size Terminal::size() noexcept {
  winsize window{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) return {};
  return {window.ws_col, window.ws_row};
}

void Terminal::draw(const std::vector<std::string>& lines) {
  const Size now = size();
  std::string text(kHome);
  for (std::size_t at = 0; at < lines.size() && at < now.lines; ++at) {
    if (at > 0) text += "\r\n";
    text += cat(cut_to(lines[at], now.columns), kClearLine);
  }
  text += kClearBelow;
  if (!write_all(text)) ended_by_ = SIGPIPE;
}

Terminal::Event Terminal::wait(int descriptor) {
  while (ended_by_ == 0) {
    std::array<pollfd, 3> set{pollfd{signals_.get(), POLLIN, 0}, pollfd{descriptor, POLLIN, 0},
                              pollfd{has_keys_ ? STDIN_FILENO : -1, POLLIN, 0}};
    if (poll(set.data(), set.size(), -1) < 0) continue;
    Event event = Event::quit;
    if (set[0].revents != 0 && on_signal(event)) return event;
    if (set[2].revents != 0 && on_key(event)) return event;
    if (set[1].revents != 0) return Event::readable;
  }
  return Event::quit;
}

bool Terminal::on_signal(Event& event) {
  signalfd_siginfo info{};
  if (read(signals_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return false;
  const int signal = static_cast<int>(info.ssi_signo);
  if (signal == SIGTSTP) {  // Ctrl+Z: the shell gets its terminal, until it lets us go on
    leave();
    raise(SIGSTOP);
    enter();
  }
  event = Event::resized;
  if (signal == SIGTSTP || signal == SIGCONT || signal == SIGWINCH) return true;
  ended_by_ = signal;
  event = Event::quit;
  return true;
}

bool Terminal::on_key(Event& event) {
  char key = 0;
  const ssize_t size = read(STDIN_FILENO, &key, 1);
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return false;
  event = Event::quit;
  return size <= 0 || key == 'q' || key == 'Q';
}

}  // namespace linnet::cli
