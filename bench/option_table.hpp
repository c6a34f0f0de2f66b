// Reads a command line into a struct, by tables of its fields. Whatever is wrong ends the process
// with exit code 2.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire.hpp"

namespace linnet::bench {

template <class Options>
struct NumberOption {
  std::string_view name;
  std::uint32_t Options::*field;
  std::uint32_t min;
  std::uint32_t max;
};

template <class Options>
struct TextOption {
  std::string_view name;
  std::string Options::*field;
};

/// Options has a list `settings`, which --set extends, and make_quick(Options&) is what --quick
/// asks for.
template <class Options>
class OptionTable {
 public:
  using Numbers = std::span<const NumberOption<Options>>;
  using Texts = std::span<const TextOption<Options>>;

  OptionTable(Numbers numbers, Texts texts) : numbers_(numbers), texts_(texts) {}

  /// All arguments from `first` on.
  void read(Options& options, int first, int count, char** arguments) const {
    for (int at = first; at < count;) {
      const std::string_view name = arguments[at++];
      if (name == "--quick") {
        make_quick(options);
      } else {
        assign(options, name, at < count ? arguments[at] : ""sv);
        ++at;
      }
    }
  }

 private:
  void assign(Options& options, std::string_view name, std::string_view value) const {
    const auto is_named = [name](const auto& option) { return option.name == name; };
    if (const auto at = std::find_if(numbers_.begin(), numbers_.end(), is_named);
        at != numbers_.end()) {
      return assign_number(options, *at, value);
    }
    const auto at = std::find_if(texts_.begin(), texts_.end(), is_named);
    if (at == texts_.end() && name != "--set") fail("there is no option " + std::string(name));
    if (value.empty()) fail(std::string(name) + " needs a value");
    if (name == "--set") {
      options.settings.emplace_back(value);
    } else {
      options.*at->field = value;
    }
  }

  static void assign_number(Options& options, const NumberOption<Options>& option,
                            std::string_view value) {
    auto& field = options.*option.field;
    const auto* end = value.data() + value.size();
    const auto [rest, error] = std::from_chars(value.data(), end, field);
    if (error == std::errc() && rest == end && field >= option.min && field <= option.max) return;
    fail(std::string(option.name) + " takes a number from " + std::to_string(option.min) + " to " +
         std::to_string(option.max));
  }

  const Numbers numbers_;
  const Texts texts_;
};

}  // namespace linnet::bench
