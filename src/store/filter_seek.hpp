// Where, in the order of the keys in `retained`, the next topic stands that a filter may match:
// what makes a read seek and not scan. Pure; one thread per object.
//
//   FilterSeek seek("a/+/c");
//   seek.start();                         // "a\0": the first key that may match is not before it
//   seek.look(bytes of "a\0x\0b");        // no match, on to "a\0x\0c"
//   seek.look(bytes of "a\0x\0c");        // a match, then on behind all that is below "a\0x"
#pragma once

#include <string>
#include <string_view>

#include <boost/container/small_vector.hpp>

namespace linnet::store {

class FilterSeek {
 public:
  /// `filter` must outlive this, and be a valid one.
  explicit FilterSeek(std::string_view filter);

  enum class Onward : std::uint8_t {
    next,  // to the next key
    seek,  // to the first key that is not before target(), if that is behind this one
    done,  // nothing that comes can match
  };
  struct Look {
    bool matches = false;
    Onward onward = Onward::next;
  };
  /// Whether a topic matches, and how to go on behind its key. `topic` is the key itself; that of a
  /// hashed key is the topic as it is, with its separators.
  [[nodiscard]] Look look(std::string_view topic);
  /// Never empty, never longer than a name key's prefix. Valid until the next look().
  [[nodiscard]] std::string_view target() const noexcept { return target_; }
  /// The target from which the first match is found.
  [[nodiscard]] std::string_view start();

 private:
  /// Where a topic and the filter part.
  struct Parting {
    std::size_t at;           // the byte that decides
    std::size_t level;        // the filter's level
    std::size_t level_start;  // and where it begins in the topic
    std::size_t plus_end;     // the end of the last level that `+` took; npos: there is none
  };
  [[nodiscard]] Look onward_to_level(std::string_view topic, const Parting& parting);
  [[nodiscard]] Look onward_behind(std::string_view topic, const Parting& parting);
  void set_prefix(std::string_view topic, std::size_t size);
  void append_literals(std::size_t level);

  boost::container::small_vector<std::string_view, 16> levels_;
  std::string target_;
};

}  // namespace linnet::store
