// Passwords and keys while they are in memory: compared in constant time, and wiped. One thread per
// object.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace linnet::auth {

/// Whether two byte strings are equal, in a time that depends on the length of `presented` alone.
[[nodiscard]] bool equal_in_constant_time(std::string_view presented,
                                          std::string_view expected) noexcept;

/// Overwrites the text's memory, which the compiler may not leave out, and empties it.
void wipe(std::string& text) noexcept;

/// A text that is wiped when it goes. Moves, and is never copied by accident.
class Secret {
 public:
  Secret() noexcept = default;
  explicit Secret(std::string&& text) noexcept : text_(std::move(text)) { wipe(text); }
  explicit Secret(std::string_view text) : text_(text) {}
  explicit Secret(const char* text) : text_(text) {}
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { wipe(other.text_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this == &other) return *this;
    wipe(text_);
    text_ = std::move(other.text_);
    wipe(other.text_);
    return *this;
  }
  ~Secret() { wipe(text_); }

  [[nodiscard]] std::string_view view() const noexcept { return text_; }
  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  /// Leaves nothing behind where the text has to move.
  void append(std::string_view more);

 private:
  std::string text_;
};

}  // namespace linnet::auth
