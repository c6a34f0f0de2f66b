#include "auth/password_edit.hpp"

#include "auth/password_file.hpp"
#include "auth/password_hash.hpp"
#include "base/cat.hpp"

namespace linnet::auth {
namespace {

struct Line {
  std::string_view whole;    // with its end
  std::string_view content;  // trimmed
};

Line take_line(std::string_view& text) noexcept {
  const std::string_view before = text;
  const std::string_view content = take_password_line(text);
  return {before.substr(0, before.size() - text.size()), content};
}

bool is_entry(std::string_view content) noexcept {
  return !content.empty() && content.front() != '#';
}

bool is_of(std::string_view content, std::string_view user) noexcept {
  if (!is_entry(content)) return false;
  const auto parts = split_password_line(content);
  return parts && parts->user == user;
}

void append_entry(Secret& text, std::string_view user, std::string_view hash) {
  text.append(user);
  text.append(":");
  text.append(hash);
  text.append("\n");
}

/// What stands behind the colon, to the last byte.
std::string_view password_in(std::string_view whole) noexcept {
  if (whole.ends_with('\n')) whole.remove_suffix(1);
  if (whole.ends_with('\r')) whole.remove_suffix(1);
  return whole.substr(whole.find(':') + 1);
}

/// Hashes one line, or copies it. Returns what is wrong, or an empty text.
std::string upgrade_line(const Line& line, PasswordEdit& edit,
                         const std::function<std::string(std::string_view)>& hash_of) {
  const auto parts = split_password_line(line.content);
  if (!parts) return "there is no colon; a line is user:password";
  if (const auto fault = file_user_fault(parts->user); !fault.empty()) {
    return cat("the user name ", fault);
  }
  std::string error;
  if (parse_password_hash(parts->hash, error)) {
    edit.text.append(line.whole);
    ++edit.kept;
    return {};
  }
  if (looks_hashed(parts->hash)) {
    return error + "; a password that only looks like a hash is set by `linnet passwd FILE USER`";
  }
  const std::string_view password = password_in(line.whole);
  if (password.empty()) return "the password is empty";
  append_entry(edit.text, parts->user, hash_of(password));
  ++edit.changed;
  return {};
}

}  // namespace

PasswordEdit with_user(std::string_view text, std::string_view user, std::string_view hash) {
  PasswordEdit edit;
  while (!text.empty()) {
    const Line line = take_line(text);
    if (!is_of(line.content, user)) {
      edit.text.append(line.whole);
      if (!line.whole.ends_with('\n')) edit.text.append("\n");
      continue;
    }
    if (edit.changed++ == 0) append_entry(edit.text, user, hash);
  }
  if (edit.changed == 0) append_entry(edit.text, user, hash);
  return edit;
}

PasswordEdit without_user(std::string_view text, std::string_view user) {
  PasswordEdit edit;
  while (!text.empty()) {
    const Line line = take_line(text);
    if (is_of(line.content, user)) {
      ++edit.changed;
    } else {
      edit.text.append(line.whole);
    }
  }
  return edit;
}

PasswordEdit with_hashes(std::string_view text,
                         const std::function<std::string(std::string_view)>& hash_of) {
  PasswordEdit edit;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const Line line = take_line(text);
    if (!is_entry(line.content)) {
      edit.text.append(line.whole);
      continue;
    }
    if (std::string fault = upgrade_line(line, edit, hash_of); !fault.empty()) {
      edit.error = cat(number, ": ", fault);
      return edit;
    }
  }
  return edit;
}

}  // namespace linnet::auth
