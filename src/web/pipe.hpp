// What stands beneath Beast's WebSocket stream instead of a socket: bytes that a call into the
// channel has been shown, and what of the stream waits for more of them or for the kernel. Only
// websocket.cpp and pipe.cpp see this header, since it brings Asio.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>

#include "net/channel.hpp"
#include "web/tasks.hpp"

namespace linnet::web {

using Error = boost::system::error_code;

/// One completion handler of any type, void(Error, std::size_t), that waits. A small one stands
/// within, so that an idle WebSocket takes no further block.
template <std::size_t kInside>
class Waiting {
 public:
  Waiting() noexcept = default;
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    if (act_ != nullptr) act_(*this, nullptr);
  }

  explicit operator bool() const noexcept { return act_ != nullptr; }

  template <class Handler>
  void keep(Handler&& handler) {
    LINNET_ASSERT(act_ == nullptr);
    using Kept = std::decay_t<Handler>;
    if constexpr (sizeof(Kept) <= kInside) {
      ::new (static_cast<void*>(inside_)) Kept(std::forward<Handler>(handler));
      act_ = &act_inside<Kept>;
    } else {
      outside_ = new Kept(std::forward<Handler>(handler));
      act_ = &act_outside<Kept>;
    }
  }

  /// It no longer waits, and is called.
  void complete(std::size_t count) { std::exchange(act_, nullptr)(*this, &count); }

 private:
  /// Takes the handler out; calls it if there is a count.
  template <class Kept>
  static void act_inside(Waiting& self, const std::size_t* count) {
    auto* kept = std::launder(reinterpret_cast<Kept*>(self.inside_));
    Kept taken(std::move(*kept));
    kept->~Kept();
    if (count != nullptr) taken(Error{}, *count);
  }

  template <class Kept>
  static void act_outside(Waiting& self, const std::size_t* count) {
    const std::unique_ptr<Kept> kept(static_cast<Kept*>(self.outside_));
    Kept taken(std::move(*kept));
    if (count != nullptr) taken(Error{}, *count);
  }

  void (*act_)(Waiting&, const std::size_t*) = nullptr;
  union {
    void* outside_ = nullptr;
    alignas(std::max_align_t) std::byte inside_[kInside < sizeof(void*) ? sizeof(void*) : kInside];
  };
};

class Pipe {
 public:
  /// So many times in one call the socket is written to before reading makes a pause: the other
  /// side decides how many pings it sends.
  static constexpr unsigned kWritesPerCall = 64;

  /// Nobody runs `context`; Asio wants one to be there.
  Pipe(boost::asio::io_context& context, std::unique_ptr<net::Channel> below) noexcept
      : context_(context), below_(std::move(below)) {}

  [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }
  [[nodiscard]] net::Channel* below() const noexcept { return below_.get(); }
  [[nodiscard]] Tasks& tasks() noexcept { return tasks_; }
  [[nodiscard]] bool reader_waits() const noexcept { return static_cast<bool>(reader_); }
  [[nodiscard]] bool writer_waits() const noexcept { return static_cast<bool>(writer_); }
  /// Writing has failed for good; what is written since is dropped, so that reading can go on.
  [[nodiscard]] bool is_broken() const noexcept { return broken_; }

  /// Each call into the channel begins with this.
  void begin(int socket) noexcept;

  /// The bytes that can be read now; what is left of them is there after advance().
  void feed(std::string_view bytes) noexcept { fed_ = bytes; }
  [[nodiscard]] std::string_view left() const noexcept { return fed_; }
  /// Runs all that can run with what has been fed.
  void advance();
  /// Tries again what waits for the socket.
  void retry();

  /// Where the bytes of messages go, never nowhere. Buffers are shown to Beast as "the room", and
  /// looked up when they are used: what waits for bytes must not remember this call's memory.
  void set_room(std::span<char> room) noexcept { room_ = {room.data(), room.size()}; }
  [[nodiscard]] const boost::asio::mutable_buffer& room() const noexcept { return room_; }

  /// For the wire.
  template <class Buffers, class Handler>
  void read(const Buffers& buffers, Handler&& handler) {
    set_targets(buffers);
    if (can_read()) {
      add_completion(std::forward<Handler>(handler), take_fed());
    } else {
      reader_.keep(std::forward<Handler>(handler));
    }
  }

  template <class Buffers, class Handler>
  void write(const Buffers& buffers, Handler&& handler) {
    Parts parts;
    std::size_t used = 0;
    const auto last = boost::asio::buffer_sequence_end(buffers);
    for (auto at = boost::asio::buffer_sequence_begin(buffers); at != last; ++at) {
      const boost::asio::const_buffer buffer(*at);
      if (buffer.size() == 0) continue;
      if (used == parts.size()) break;
      parts[used++] = {const_cast<void*>(buffer.data()), buffer.size()};
    }
    if (const std::size_t count = send({parts.data(), used}); count > 0) {
      add_completion(std::forward<Handler>(handler), count);
    } else {
      unsent_.assign(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(used));
      writer_.keep(std::forward<Handler>(handler));
    }
  }

 private:
  using Parts = std::array<iovec, 64>;  // as many as Asio shows at once
  static constexpr std::size_t kReaderBytes = 192;

  template <class Handler>
  void add_completion(Handler&& handler, std::size_t count) {
    tasks_.add([kept = std::forward<Handler>(handler), count]() mutable { kept(Error{}, count); });
  }

  template <class Buffers>
  void set_targets(const Buffers& buffers) noexcept {
    std::size_t used = 0;
    targets_ = {};
    const auto last = boost::asio::buffer_sequence_end(buffers);
    for (auto at = boost::asio::buffer_sequence_begin(buffers); at != last; ++at) {
      const boost::asio::mutable_buffer buffer(*at);
      if (buffer.size() > 0 && used < targets_.size()) targets_[used++] = buffer;
    }
    into_room_ = targets_[0].data() == room_.data();
  }

  [[nodiscard]] bool can_read() const noexcept { return !fed_.empty() && writes_ < kWritesPerCall; }
  std::size_t take_fed() noexcept;
  [[nodiscard]] std::size_t send(std::span<const iovec> parts);

  boost::asio::io_context& context_;
  std::unique_ptr<net::Channel> below_;
  Tasks tasks_;
  std::string_view fed_;
  boost::asio::mutable_buffer room_;
  std::array<boost::asio::mutable_buffer, 2> targets_;
  std::vector<iovec> unsent_;
  Waiting<kReaderBytes> reader_;
  Waiting<0> writer_;
  int socket_ = -1;
  unsigned writes_ = 0;     // in this call
  bool into_room_ = false;  // the reader's target is the room of the call in which it gets bytes
  bool full_ = false;       // the socket takes no more in this call
  bool broken_ = false;
};

}  // namespace linnet::web
