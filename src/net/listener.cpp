#include "net/listener.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <system_error>

#include "base/cat.hpp"
#include "base/log.hpp"

namespace linnet::net {

namespace {

int open_spare() noexcept {
  return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace

Listener::Listener(FileDescriptor socket, Reactor& reactor, AcceptHandler& handler)
    : socket_(std::move(socket)),
      spare_(open_spare()),
      reactor_(&reactor),
      handler_(&handler),
      back_off_(Timer::calling<&Listener::end_back_off>(*this)) {
  const auto slot = reactor.add(socket_.get(), EPOLLIN, *this);
  if (!slot) throw std::system_error(slot.error(), "epoll_ctl");
  slot_ = *slot;
}

Listener::~Listener() {
  reactor_->remove(slot_);
}

void Listener::pause() {
  paused_ = true;
  watch();
}

void Listener::resume() {
  paused_ = false;
  watch();
}

void Listener::watch() {
  const bool wanted = !paused_ && !back_off_.armed();
  if (wanted == watched_) return;
  watched_ = wanted;
  reactor_->modify(slot_, wanted ? EPOLLIN : 0U);
}

void Listener::on_ready(std::uint32_t /*events*/) {
  for (int count = 0; count < kAcceptsPerTurn && watched_; ++count) {
    if (accept_one() == Step::turn_done) return;
  }
}

Listener::Step Listener::accept_one() {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  auto* target = reinterpret_cast<sockaddr*>(&address);
  FileDescriptor socket(::accept4(socket_.get(), target, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket) return on_error(errno);
  handler_->on_accept(std::move(socket), Endpoint::from(address));
  return Step::go_on;
}

Listener::Step Listener::on_error(int error) {
  switch (error) {
    case EAGAIN: return Step::turn_done;
    case EMFILE:
    case ENFILE:
      shed_one();
      back_off();
      break;
    case ENOBUFS:
    case ENOMEM: back_off(); break;
    // Anything else belongs to the connection that would have been accepted: it is gone already.
    default: return Step::go_on;
  }
  if (const auto verdict = log_limiter_.ask(reactor_->now_ms()); verdict.allowed) {
    const std::error_code code(error, std::generic_category());
    log::warn("net", cat("cannot accept a connection: ", code.message(),
                         "; raise the limit of open files (ulimit -n, LimitNOFILE) or lower the "
                         "number of connections",
                         more_like_it(verdict)));
  }
  return Step::turn_done;
}

void Listener::shed_one() noexcept {
  spare_.close();
  {
    const FileDescriptor refused(
        ::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    // With a CONNECT still unread the kernel would send a reset instead of an end.
    std::array<char, 4096> unread;
    [[maybe_unused]] const auto count = ::recv(refused.get(), unread.data(), unread.size(), 0);
  }
  spare_ = FileDescriptor(open_spare());
}

void Listener::back_off() {
  reactor_->timers().arm(back_off_, reactor_->now_ms() + kBackOffMs);
  watch();
}

void Listener::end_back_off() {
  // Another thread may have been quicker to take the descriptor that shed_one() gave back.
  if (!spare_) spare_ = FileDescriptor(open_spare());
  watch();
}

}  // namespace linnet::net
