// The table of every key that a configuration may have: its name, its type, what is allowed, what
// it means, and the field of Config that it fills. The loader, --set, the suggestions for unknown
// keys and docs/configuration.md are all made from it, so a key is added here and nowhere else.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <linnet/config.hpp>

namespace linnet::config {

enum class KeyType : std::uint8_t {
  boolean,
  integer,
  size,      // bytes
  duration,  // milliseconds
  seconds,   // a duration that the field holds in seconds
  choice,    // one of `choices`; the number is its index, which is the enumerator's value
  text,
  texts,  // a list of texts; one text alone is a list of one
};

/// For keys that have no "never".
inline constexpr std::uint64_t kNoNever = std::numeric_limits<std::uint64_t>::max();

/// How a key reaches its field. Keys of lists work on the last element of their list.
struct KeyField {
  std::uint64_t (*number)(const Config&) = nullptr;  // not for text and texts
  void (*set_number)(Config&, std::uint64_t) = nullptr;
  const std::string& (*text)(const Config&) = nullptr;  // only for text
  void (*set_text)(Config&, std::string) = nullptr;
  const std::vector<std::string>& (*texts)(const Config&) = nullptr;  // only for texts
  void (*set_texts)(Config&, std::vector<std::string>) = nullptr;
};

struct Key {
  std::string_view name{};  // with its section: "limits.packet_size_max"
  KeyType type = KeyType::text;
  KeyField field{};
  std::uint64_t min = 0;  // both ends are allowed; in the type's unit
  std::uint64_t max = 0;
  std::uint64_t never = kNoNever;               // the number that "never" stands for
  std::span<const std::string_view> choices{};  // only for choice
  std::string_view meaning{};                   // Markdown, one line
  std::string_view default_note{};              // instead of the default, where that says nothing
  bool restart = false;                         // a reload leaves it as it is

  [[nodiscard]] bool may_be_never() const noexcept { return never != kNoNever; }
  /// "limits" for limits.packet_size_max, "" at the top.
  [[nodiscard]] std::string_view section() const noexcept;
  /// "packet_size_max" for limits.packet_size_max.
  [[nodiscard]] std::string_view short_name() const noexcept;
};

/// A `[name]` or, if it is a list, a `[[name]]`.
struct Section {
  std::string_view name{};
  bool list = false;
  std::string_view meaning{};
  void (*append)(Config&) = nullptr;  // adds an element with its defaults; only for a list
  std::string_view same_keys_as{};    // a section whose documentation serves for this one, too
};

/// All keys, section by section, in the order of the documentation.
[[nodiscard]] std::span<const Key> all_keys() noexcept;

/// All sections; the first is the top, whose name is empty.
[[nodiscard]] std::span<const Section> all_sections() noexcept;

/// Null if there is none of that name.
[[nodiscard]] const Key* find_key(std::string_view name) noexcept;
[[nodiscard]] const Section* find_section(std::string_view name) noexcept;

/// The list whose elements have this key: `listener` for listener.url and listener.tls.cert; null
/// for a key that stands once.
[[nodiscard]] const Section* list_of(const Key& key) noexcept;

/// The key of each listener that begins with the value of this one: listener.tls.cert for tls.cert.
/// Null for most.
[[nodiscard]] const Key* listener_key_of(const Key& key) noexcept;

/// A number of this key as it would be written: `"1MiB"`, `true`, `100`, `"never"`.
[[nodiscard]] std::string number_text(const Key& key, std::uint64_t number);

/// What is allowed, in words: `"1KiB" to "256MiB", or "never"`.
[[nodiscard]] std::string allowed_text(const Key& key);

/// What the key is without being set, as it would be written.
[[nodiscard]] std::string default_text(const Key& key);

}  // namespace linnet::config
