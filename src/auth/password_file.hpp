// The users of a password file, Mosquitto's format: one "user:hash" a line; empty lines and lines
// that begin with # are skipped, and blanks around a name or at the end of a line are no part of
// them. Immutable once read; any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/password_hash.hpp"
#include "auth/secret.hpp"

namespace linnet::auth {

inline constexpr std::size_t kPasswordFileBytesMax = 64 << 20;
inline constexpr std::size_t kPasswordFileUsersMax = 500'000;
inline constexpr std::size_t kFileUserBytesMax = 1024;
/// A name, a colon, and the longest entry.
inline constexpr std::size_t kPasswordLineBytesMax = 4096;

/// What is wrong with a user name in a password file, as the rest of "the user name …"; else empty.
[[nodiscard]] std::string_view file_user_fault(std::string_view user) noexcept;

/// A line without its end and the blanks around it; `text` loses it.
[[nodiscard]] std::string_view take_password_line(std::string_view& text) noexcept;
/// Splits at the first colon; the name without the blanks around it. Nothing if there is none.
struct PasswordLine {
  std::string_view user;
  std::string_view hash;  // or what else stands behind the colon
};
[[nodiscard]] std::optional<PasswordLine> split_password_line(std::string_view line) noexcept;

/// A whole file as it is.
struct PasswordText {
  Secret text;
  unsigned mode = 0;  // st_mode
  [[nodiscard]] bool others_may_read() const noexcept { return (mode & 04) != 0; }
};
/// Nothing if it can't be read, is no regular file, is larger than allowed, or may be written to by
/// every user of the machine; `error` names the file and the mend.
[[nodiscard]] std::optional<PasswordText> read_password_text(const std::string& path,
                                                             std::string& error);

/// What every client sees of an entry for SCRAM, before it has proven anything.
struct ScramShape {
  std::uint32_t iterations = 0;
  std::size_t salt_bytes = 0;
  friend auto operator<=>(const ScramShape&, const ScramShape&) = default;
};

class PasswordFile {
 public:
  /// Reads a file. All errors are added to `errors`, "FILE:LINE: what is wrong; what is allowed",
  /// up to 20 of them; nothing if there is any. No error ever shows a hash. The log warns of a file
  /// that other users may read, and of hashes that are quick to guess.
  [[nodiscard]] static std::optional<PasswordFile> load(const std::string& path,
                                                        std::vector<std::string>& errors);
  /// The same from a text, without warnings; `name` is what errors call it.
  [[nodiscard]] static std::optional<PasswordFile> parse(std::string_view text,
                                                         const std::string& name,
                                                         std::vector<std::string>& errors);

  /// Null if there is no such user. It stays where it is when the file moves.
  [[nodiscard]] const PasswordHash* find(std::string_view user) const;
  [[nodiscard]] std::size_t size() const noexcept { return users_.size(); }
  /// How many users have hashes that are quick to guess, see is_weak().
  [[nodiscard]] std::size_t weak() const noexcept { return weak_; }
  /// Spends as much time as verifying a password of most of the file's users, for a user that is
  /// not in it: so that nobody can tell which users there are. Where users have hashes of several
  /// kinds or costs, those of the rarer ones can still be told.
  void verify_nobody(std::string_view password) const;
  /// Of most of the entries for SCRAM, or of a new one if there is none: what SCRAM shows for users
  /// that are not in the file. Users whose entries are of rarer shapes can still be told.
  [[nodiscard]] const ScramShape& scram_shape() const noexcept { return scram_shape_; }

 private:
  struct Entry {
    PasswordHash hash;
    std::uint32_t line = 0;
  };
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>()(name);
    }
  };

  /// What is wrong with a line, as the rest of "FILE:LINE: …"; else empty.
  [[nodiscard]] std::string add(std::string_view line, std::uint32_t number);
  void choose_nobody();
  void choose_scram_shape();

  std::unordered_map<std::string, Entry, NameHash, std::equal_to<>> users_;
  std::optional<PasswordHash> nobody_;  // an entry of the commonest cost
  ScramShape scram_shape_;
  std::size_t weak_ = 0;
};

}  // namespace linnet::auth
