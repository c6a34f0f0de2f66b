// A password file of any bytes: what is taken can be found again, what is refused names its line,
// and changes touch one user alone.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/password_edit.hpp"
#include "auth/password_file.hpp"
#include "base/assert.hpp"

namespace {

using namespace linnet::auth;

/// The shortest entry that there is, so that it costs nothing.
constexpr std::string_view kHash =
    "$6$cw==$"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";

/// The same file after an edit, which keeps it sound.
PasswordFile again(const PasswordEdit& edit) {
  std::vector<std::string> errors;
  auto file = PasswordFile::parse(edit.text.view(), "file", errors);
  LINNET_ASSERT(file.has_value());
  return std::move(*file);
}

void edit_sound(std::string_view text, const PasswordFile& file, std::string_view user) {
  const bool known = file.find(user) != nullptr;
  const PasswordEdit with = with_user(text, user, kHash);
  LINNET_ASSERT(with.changed == (known ? 1 : 0));
  const PasswordFile larger = again(with);
  LINNET_ASSERT(larger.find(user) != nullptr);
  LINNET_ASSERT(larger.size() == file.size() + (known ? 0 : 1));
  const PasswordEdit without = without_user(text, user);
  LINNET_ASSERT(without.changed == (known ? 1 : 0));
  const PasswordFile smaller = again(without);
  LINNET_ASSERT(smaller.find(user) == nullptr);
  LINNET_ASSERT(smaller.size() == file.size() - (known ? 1 : 0));
}

void upgrade(std::string_view text) {
  const auto hash_of = [](std::string_view password) {
    LINNET_ASSERT(!password.empty());
    return std::string(kHash);
  };
  const PasswordEdit edit = with_hashes(text, hash_of);
  if (!edit.error.empty()) return;
  const PasswordEdit twice = with_hashes(edit.text.view(), hash_of);
  LINNET_ASSERT(twice.error.empty() && twice.changed == 0);
  LINNET_ASSERT(twice.kept == edit.changed + edit.kept);
  LINNET_ASSERT(twice.text.view() == edit.text.view());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  upgrade(text);
  std::vector<std::string> errors;
  const auto file = PasswordFile::parse(text, "file", errors);
  LINNET_ASSERT(file.has_value() == errors.empty());
  for (const std::string& error : errors)
    LINNET_ASSERT(error.starts_with("file:"));
  if (!file) return 0;
  std::size_t found = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = take_password_line(rest);
    if (line.empty() || line.front() == '#') continue;
    const auto parts = split_password_line(line);
    LINNET_ASSERT(parts && file->find(parts->user) != nullptr);
    if (found++ == 0) edit_sound(text, *file, parts->user);
  }
  LINNET_ASSERT(found == file->size());
  edit_sound(text, *file, "new one");
  return 0;
}
