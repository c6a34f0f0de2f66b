// A terminal that is drawn on from the first line to the last, and given back as it was, whatever
// ends the program: the destructor does it, and signals that would end the program are asked for
// instead. One per process, on the main thread, before others are started.
//
//   Terminal terminal;                      // standard output is a terminal
//   while (true) {
//     terminal.draw(lines);
//     switch (terminal.wait(descriptor)) { ... }
//   }
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <string>
#include <termios.h>
#include <vector>

#include "net/file_descriptor.hpp"

namespace linnet::cli {

class Terminal {
 public:
  Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();

  struct Size {
    std::size_t columns = 80;
    std::size_t lines = 24;
  };
  /// As it is now.
  [[nodiscard]] static Size size() noexcept;

  /// Shows the lines; what does not fit is cut off.
  void draw(const std::vector<std::string>& lines);

  enum class Event : std::uint8_t {
    readable,  // the descriptor
    resized,   // or shown again: it wants to be drawn
    quit,      // q, or a signal: see ended_by()
  };
  [[nodiscard]] Event wait(int descriptor);
  /// The signal that ended it; 0: none.
  [[nodiscard]] int ended_by() const noexcept { return ended_by_; }

 private:
  void enter();
  void leave();
  [[nodiscard]] bool on_signal(Event& event);
  [[nodiscard]] bool on_key(Event& event);

  sigset_t mask_before_{};
  net::FileDescriptor signals_;
  termios before_{};
  bool has_keys_ = false;  // standard input is a terminal, too
  int ended_by_ = 0;
};

}  // namespace linnet::cli
