#include "auth/password_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <map>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"
#include "net/file_descriptor.hpp"

namespace linnet::auth {
namespace {

constexpr std::size_t kErrorsMax = 20;
constexpr std::string_view kBlanks = " \t";

std::string_view trimmed(std::string_view text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

/// U+0000 to U+001F, U+007F, and U+0080 to U+009F, which are C2 80 to C2 9F.
bool has_control(std::string_view text) noexcept {
  char before = 0;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7f || (before == '\xc2' && byte >= 0x80 && byte < 0xa0)) {
      return true;
    }
    before = character;
  }
  return false;
}

std::string errno_text() {
  return std::generic_category().message(errno);
}

/// What decides how long a check takes: the kind, and its parameters.
using Cost = std::array<std::uint32_t, 4>;

Cost cost_of(const PasswordHash& hash) {
  const auto kind = static_cast<std::uint32_t>(hash.index());
  if (const auto* pbkdf2 = std::get_if<Pbkdf2Hash>(&hash)) return {kind, pbkdf2->iterations, 0, 0};
  if (const auto* keys = std::get_if<ScramKeys>(&hash)) return {kind, keys->iterations, 0, 0};
  if (const auto* argon2 = std::get_if<Argon2Hash>(&hash)) {
    return {kind, argon2->memory_kib, argon2->passes, argon2->lanes};
  }
  return {kind, 0, 0, 0};
}

bool read_all(int descriptor, Secret& text) {
  // Not on the stack, so that it is wiped like the rest.
  std::string piece(64 << 10, '\0');
  ssize_t count = 0;
  while (text.view().size() <= kPasswordFileBytesMax &&
         (count = ::read(descriptor, piece.data(), piece.size())) != 0) {
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    text.append(std::string_view(piece).substr(0, static_cast<std::size_t>(count)));
  }
  const int failed = errno;
  wipe(piece);
  errno = failed;
  return count >= 0;
}

std::string too_large(std::string_view path) {
  return cat(path, ": is larger than ", kPasswordFileBytesMax >> 20, " MiB, which is allowed");
}

}  // namespace

std::string_view file_user_fault(std::string_view user) noexcept {
  if (user.empty()) return "is empty";
  if (user.size() > kFileUserBytesMax) return "is longer than 1024 bytes";
  if (!is_mqtt_utf8(user)) return "is not UTF-8";
  if (has_control(user)) return "has control characters";
  if (user.starts_with("\xef\xbb\xbf")) {
    return "begins with a byte order mark; save the file as UTF-8 without one";
  }
  if (user.front() == '#') return "begins with #, as comments do";
  if (user.find(':') != std::string_view::npos) return "has a colon, which ends names";
  if (trimmed(user).size() != user.size()) return "has blanks around it";
  return {};
}

std::string_view take_password_line(std::string_view& text) noexcept {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return trimmed(line);
}

std::optional<PasswordLine> split_password_line(std::string_view line) noexcept {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return PasswordLine{trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1))};
}

std::optional<PasswordText> read_password_text(const std::string& path, std::string& error) {
  // Not blocking, since opening a FIFO would wait for its writer.
  const net::FileDescriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts {};
  PasswordText result;
  if (!descriptor || ::fstat(descriptor.get(), &facts) != 0) {
    error = cat(path, ": cannot be read: ", errno_text());
  } else if (!S_ISREG(facts.st_mode)) {
    error = cat(path, ": is no regular file");
  } else if ((facts.st_mode & S_IWOTH) != 0) {
    error = cat(path, ": every user of this machine may write to it; mend it with chmod o-w");
  } else if (!read_all(descriptor.get(), result.text)) {
    error = cat(path, ": cannot be read: ", errno_text());
  } else if (result.text.view().size() > kPasswordFileBytesMax) {
    error = too_large(path);
  } else {
    result.mode = facts.st_mode;
    return result;
  }
  return std::nullopt;
}

std::string PasswordFile::add(std::string_view line, std::uint32_t number) {
  if (line.size() > kPasswordLineBytesMax) {
    return cat("the line is longer than ", kPasswordLineBytesMax, " bytes");
  }
  const auto parts = split_password_line(line);
  if (!parts) return "there is no colon; a line is user:hash";
  if (const auto fault = file_user_fault(parts->user); !fault.empty()) {
    return cat("the user name ", fault);
  }
  std::string error;
  auto hash = parse_password_hash(parts->hash, error);
  if (!hash) return error;
  if (users_.size() == kPasswordFileUsersMax) {
    return cat("there are more than ", kPasswordFileUsersMax, " users, which are allowed");
  }
  const bool weak = is_weak(*hash);
  const auto [place, is_new] =
      users_.try_emplace(std::string(parts->user), Entry{std::move(*hash), number});
  if (!is_new) {
    return cat("the user ", parts->user, " is in line ", place->second.line,
               " already; keep one of the two lines");
  }
  if (weak) ++weak_;
  return {};
}

void PasswordFile::choose_nobody() {
  struct Class {
    std::size_t users = 0;
    const PasswordHash* example = nullptr;
  };
  std::map<Cost, Class> classes;
  for (const auto& [name, entry] : users_) {
    Class& group = classes[cost_of(entry.hash)];
    ++group.users;
    group.example = &entry.hash;
  }
  const auto most = std::max_element(classes.begin(), classes.end(), [](auto& left, auto& right) {
    return left.second.users < right.second.users;
  });
  if (most != classes.end()) nobody_ = *most->second.example;
}

void PasswordFile::choose_scram_shape() {
  std::map<ScramShape, std::size_t> shapes;
  for (const auto& [name, entry] : users_) {
    const auto* keys = std::get_if<ScramKeys>(&entry.hash);
    if (keys != nullptr) ++shapes[{keys->iterations, keys->salt.size()}];
  }
  const auto most = std::max_element(shapes.begin(), shapes.end(), [](auto& left, auto& right) {
    return left.second < right.second;
  });
  scram_shape_ = most != shapes.end()
                     ? most->first
                     : ScramShape{iteration_range(HashKind::scram).usual, kNewSaltBytes};
}

std::optional<PasswordFile> PasswordFile::parse(std::string_view text, const std::string& name,
                                                std::vector<std::string>& errors) {
  if (text.size() > kPasswordFileBytesMax) {
    errors.push_back(too_large(name));
    return std::nullopt;
  }
  PasswordFile file;
  std::size_t faults = 0;
  for (std::uint32_t number = 1; !text.empty(); ++number) {
    const std::string_view line = take_password_line(text);
    if (line.empty() || line.front() == '#') continue;
    const std::string fault = file.add(line, number);
    if (fault.empty()) continue;
    if (++faults <= kErrorsMax) errors.push_back(cat(name, ':', number, ": ", fault));
  }
  if (faults > kErrorsMax) {
    errors.push_back(cat(name, ": ", faults - kErrorsMax, " more lines are wrong"));
  }
  if (faults > 0) return std::nullopt;
  file.choose_nobody();
  file.choose_scram_shape();
  return file;
}

std::optional<PasswordFile> PasswordFile::load(const std::string& path,
                                               std::vector<std::string>& errors) {
  std::string error;
  const auto text = read_password_text(path, error);
  if (!text) {
    errors.push_back(std::move(error));
    return std::nullopt;
  }
  auto file = parse(text->text.view(), path, errors);
  if (!file) return std::nullopt;
  if (text->others_may_read()) {
    log::warn("auth", cat(path,
                          " holds hashes of passwords, and every user of this machine may "
                          "read it; mend it with chmod o-r"));
  }
  if (file->weak() > 0) {
    log::warn("auth", cat(path, ": ", file->weak(), " of ", file->size(),
                          " users have hashes that are quick to guess, as older versions of "
                          "mosquitto_passwd make them; `linnet passwd` makes better ones"));
  }
  return file;
}

const PasswordHash* PasswordFile::find(std::string_view user) const {
  const auto found = users_.find(user);
  return found == users_.end() ? nullptr : &found->second.hash;
}

void PasswordFile::verify_nobody(std::string_view password) const {
  // Its answer is nobody's business.
  if (nobody_) static_cast<void>(verify(*nobody_, password));
}

}  // namespace linnet::auth
