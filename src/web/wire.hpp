// What Beast needs to take a Pipe for its next layer: an executor, a stream, and sequences of
// buffers. Only websocket.cpp sees this header.
#pragma once

#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include <boost/asio/execution.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/core/stream_traits.hpp>

#include "web/pipe.hpp"

namespace linnet::web {

/// Gives functions to the pipe's tasks. The context is there for the stream's timer, which is never
/// armed.
class PipeExecutor {
 public:
  explicit PipeExecutor(Pipe& pipe) noexcept : pipe_(&pipe) {}

  [[nodiscard]] boost::asio::execution_context& query(
      boost::asio::execution::context_t) const noexcept {
    return pipe_->context();
  }
  [[nodiscard]] static constexpr boost::asio::execution::blocking_t query(
      boost::asio::execution::blocking_t) noexcept {
    return boost::asio::execution::blocking.never;
  }
  [[nodiscard]] PipeExecutor require(boost::asio::execution::blocking_t::never_t) const noexcept {
    return *this;
  }

  template <class Function>
  void execute(Function&& function) const {
    pipe_->tasks().add(std::forward<Function>(function));
  }

  friend bool operator==(const PipeExecutor&, const PipeExecutor&) noexcept = default;

 private:
  Pipe* pipe_;
};

/// An AsyncStream on a pipe.
class Wire {
 public:
  using executor_type = PipeExecutor;

  explicit Wire(Pipe& pipe) noexcept : pipe_(&pipe) {}

  [[nodiscard]] PipeExecutor get_executor() const noexcept { return PipeExecutor(*pipe_); }

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    pipe_->read(buffers, std::forward<Handler>(handler));
  }
  template <class Buffers, class Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    pipe_->write(buffers, std::forward<Handler>(handler));
  }

  // The link ends the wire, not the stream.
  friend void teardown(boost::beast::role_type, Wire&, Error& error) { error = {}; }
  template <class Handler>
  friend void async_teardown(boost::beast::role_type, Wire& wire, Handler&& handler) {
    wire.pipe_->tasks().add([kept = std::forward<Handler>(handler)]() mutable { kept(Error{}); });
  }
  friend void beast_close_socket(Wire&) noexcept {}

 private:
  Pipe* pipe_;
};

/// One buffer: the pipe's room, as it is when somebody looks.
class RoomBuffers {
 public:
  using value_type = boost::asio::mutable_buffer;
  using const_iterator = const boost::asio::mutable_buffer*;

  explicit RoomBuffers(const Pipe& pipe) noexcept : room_(&pipe.room()) {}
  [[nodiscard]] const_iterator begin() const noexcept { return room_; }
  [[nodiscard]] const_iterator end() const noexcept { return room_ + 1; }

 private:
  const boost::asio::mutable_buffer* room_;
};

/// A message on its way out. Its bytes stay where they are; its parts may move while it waits.
struct Outgoing {
  std::span<const iovec> parts;
  std::vector<iovec> kept;  // of a message that waits
  std::size_t bytes = 0;
  bool busy = false;
};

/// The parts of a message, as they are when somebody looks.
class OutgoingBuffers {
 public:
  using value_type = boost::asio::const_buffer;

  class const_iterator {
   public:
    using iterator_category = std::bidirectional_iterator_tag;
    using value_type = boost::asio::const_buffer;
    using difference_type = std::ptrdiff_t;
    using pointer = const value_type*;
    using reference = value_type;

    const_iterator() noexcept = default;
    const_iterator(const Outgoing& message, std::size_t at) noexcept
        : message_(&message), at_(at) {}

    value_type operator*() const noexcept {
      const iovec& part = message_->parts[at_];
      return {part.iov_base, part.iov_len};
    }
    const_iterator& operator++() noexcept { return ++at_, *this; }
    const_iterator& operator--() noexcept { return --at_, *this; }
    const_iterator operator++(int) noexcept { return {*message_, at_++}; }
    const_iterator operator--(int) noexcept { return {*message_, at_--}; }
    friend bool operator==(const const_iterator&, const const_iterator&) noexcept = default;

   private:
    const Outgoing* message_ = nullptr;
    std::size_t at_ = 0;
  };

  explicit OutgoingBuffers(const Outgoing& message) noexcept : message_(&message) {}
  [[nodiscard]] const_iterator begin() const noexcept { return {*message_, 0}; }
  [[nodiscard]] const_iterator end() const noexcept { return {*message_, message_->parts.size()}; }

 private:
  const Outgoing* message_;
};

}  // namespace linnet::web
