#include "tls/psk_file.hpp"

#include <algorithm>

#include "base/cat.hpp"
#include "base/utf8.hpp"

namespace linnet::tls {

namespace {

int hex_digit(char digit) noexcept {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

bool is_hex(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char digit) { return hex_digit(digit) >= 0; });
}

bool has_control(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](char character) {
    const auto byte = static_cast<unsigned char>(character);
    return byte < 0x20 || byte == 0x7f;
  });
}

}  // namespace

const char* PskFile::add(std::string_view line, std::size_t number) {
  const auto colon = line.find(':');
  if (colon == line.npos) return "no colon; a line is identity:hexadecimal key";
  const auto identity = line.substr(0, colon);
  const auto hex = line.substr(colon + 1);
  if (identity.empty()) return "the identity is empty";
  if (identity.size() > kIdentityBytesMax) return "the identity is longer than 128 bytes";
  if (!is_mqtt_utf8(identity) || has_control(identity)) return "the identity is not plain UTF-8";
  if (hex.empty()) return "the key is empty";
  if (!is_hex(hex)) return "the key is not hexadecimal";
  if (hex.size() % 2 != 0) return "the key has an odd number of hexadecimal digits";
  if (hex.size() > 2 * kKeyBytesMax) return "the key is longer than 64 bytes";
  const Place place{keys_.view().size(), hex.size() / 2, number};
  if (!places_.emplace(identity, place).second) return "the identity has been given before";
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const auto byte = static_cast<char>(hex_digit(hex[i]) * 16 + hex_digit(hex[i + 1]));
    keys_.append({&byte, 1});
  }
  if (place.size < kKeyBytesAdvised) ++short_keys_;
  return nullptr;
}

std::optional<PskFile> PskFile::parse(std::string_view text, std::string_view file,
                                      std::string& error) {
  PskFile parsed;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    if (const char* wrong = parsed.add(line, number); wrong != nullptr) {
      error = cat(file, ", line ", number, ": ", wrong);
      return std::nullopt;
    }
  }
  return parsed;
}

std::span<const unsigned char> PskFile::find(std::string_view identity) const {
  const auto found = places_.find(identity);
  if (found == places_.end()) return {};
  const auto key = keys_.view().substr(found->second.offset, found->second.size);
  return {reinterpret_cast<const unsigned char*>(key.data()), key.size()};
}

}  // namespace linnet::tls
