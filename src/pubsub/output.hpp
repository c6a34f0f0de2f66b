// Standard output and standard error of the commands. What is printed is collected, and written as
// far as its reader takes it: nothing waits for a reader that rests, but for a file. One thread.
//
//   output.text() += "hello\n";
//   output.flush();                            // in each turn, and from within the loop
//   if (output.is_full()) ...                  // read no more messages for now
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "client/loop.hpp"

namespace linnet::pubsub {

class Output final : private client::Ready {
 public:
  /// The loop outlives it, and is open when something is written.
  Output(client::Loop& loop, int descriptor);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output();

  /// Append to it what is to be printed.
  [[nodiscard]] std::string& text() noexcept { return text_; }
  void flush();
  /// From now on the loop tells if nobody reads any more.
  void watch();
  [[nodiscard]] bool is_empty() const noexcept { return at_ == text_.size(); }
  [[nodiscard]] bool is_full() const noexcept { return text_.size() - at_ > kFull; }
  /// Nobody reads any more, or the disk is full: `fault()` says which.
  [[nodiscard]] bool has_failed() const noexcept { return error_ != 0; }
  /// The reader has gone, which ends the command in order.
  [[nodiscard]] bool is_closed() const noexcept;
  [[nodiscard]] std::string fault() const;

 private:
  void on_ready(std::uint32_t events) override;
  void listen(std::uint32_t events);
  void fail(int error);

  static constexpr std::size_t kFull = 1 << 20;

  client::Loop& loop_;
  int descriptor_;
  bool is_stream_ = false;  // a pipe, a socket or a terminal: it can be watched
  bool is_added_ = false;
  std::uint32_t events_ = 0;
  int error_ = 0;
  std::string text_;
  std::size_t at_ = 0;  // what has been written
};

/// "linnet: " and the text, in one line on standard error, without anything that a terminal might
/// obey.
void complain(std::string_view text);

}  // namespace linnet::pubsub
