#include "pubsub/output.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "base/cat.hpp"
#include "pubsub/terminal.hpp"

namespace linnet::pubsub {

namespace {

/// What a pipe takes without waiting when it is ready: PIPE_BUF.
constexpr std::size_t kPiece = 4096;

bool is_ready(int descriptor) noexcept {
  pollfd ready{descriptor, POLLOUT, 0};
  return ::poll(&ready, 1, 0) != 0;
}

}  // namespace

Output::Output(client::Loop& loop, int descriptor) : loop_(loop), descriptor_(descriptor) {
  struct stat facts {};
  is_stream_ = ::isatty(descriptor) == 1 || (::fstat(descriptor, &facts) == 0 &&
                                             (S_ISFIFO(facts.st_mode) || S_ISSOCK(facts.st_mode)));
}

Output::~Output() {
  if (is_added_) loop_.remove(descriptor_);
}

void Output::watch() {
  if (is_stream_) listen(0);
}

void Output::listen(std::uint32_t events) {
  if (is_added_ && events == events_) return;
  if (is_added_) {
    loop_.modify(descriptor_, events, *this);
  } else {
    loop_.add(descriptor_, events, *this);
  }
  is_added_ = true;
  events_ = events;
}

void Output::flush() {
  while (!is_empty() && error_ == 0) {
    if (is_stream_ && !is_ready(descriptor_)) return listen(EPOLLOUT);
    const std::size_t left = text_.size() - at_;
    const ssize_t count =
        ::write(descriptor_, text_.data() + at_, is_stream_ ? std::min(left, kPiece) : left);
    if (count >= 0) {
      at_ += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN && is_stream_) {
      return listen(EPOLLOUT);
    } else if (errno != EINTR) {
      fail(errno);
    }
  }
  text_.clear();
  at_ = 0;
  if (is_added_) listen(0);
}

void Output::on_ready(std::uint32_t events) {
  if ((events & EPOLLERR) != 0) return fail(EPIPE);
  flush();
}

void Output::fail(int error) {
  error_ = error;
  text_.clear();
  at_ = 0;
  if (is_added_) loop_.remove(descriptor_);
  is_added_ = is_stream_ = false;
}

bool Output::is_closed() const noexcept {
  return error_ == EPIPE;
}

std::string Output::fault() const {
  return cat("standard output: ", std::generic_category().message(error_));
}

void complain(std::string_view text) {
  const std::string line = cat("linnet: ", shown(text), '\n');
  std::string_view left = line;
  while (!left.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, left.data(), left.size());
    if (count <= 0) return;  // nobody is left to tell
    left.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace linnet::pubsub
