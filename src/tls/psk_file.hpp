// Pre-shared keys, as Mosquitto's psk_file has them: a line each,
//
//   identity:hexadecimal key
//
// The identity ends at the first colon. Empty lines and lines that begin with # are skipped.
// Immutable once it is parsed; any thread. The keys are wiped with the object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tls/authority_secret.hpp"

namespace linnet::tls {

class PskFile {
 public:
  /// What OpenSSL takes, in bytes.
  static constexpr std::size_t kIdentityBytesMax = 128;
  static constexpr std::size_t kKeyBytesMax = 64;
  /// A shorter key can be guessed.
  static constexpr std::size_t kKeyBytesAdvised = 16;

  PskFile() = default;
  /// `file` is what errors call it: they name it and the line, and never show a key.
  [[nodiscard]] static std::optional<PskFile> parse(std::string_view text, std::string_view file,
                                                    std::string& error);

  [[nodiscard]] bool empty() const noexcept { return places_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
  /// How many keys are shorter than advised.
  [[nodiscard]] std::size_t short_keys() const noexcept { return short_keys_; }
  /// Empty if there is none; else it stays with this object.
  [[nodiscard]] std::span<const unsigned char> find(std::string_view identity) const;

 private:
  struct Place {
    std::size_t offset = 0;
    std::size_t size = 0;
    std::size_t line = 0;
  };
  /// What is wrong with the line, or null.
  [[nodiscard]] const char* add(std::string_view line, std::size_t number);

  std::map<std::string, Place, std::less<>> places_;
  Secret keys_;
  std::size_t short_keys_ = 0;
};

}  // namespace linnet::tls
