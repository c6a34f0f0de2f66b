// A psk_file of any bytes: what is taken can be found again, and what is refused names its line.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.hpp"
#include "tls/psk_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string error;
  const auto file = linnet::tls::PskFile::parse(text, "file", error);
  if (!file) {
    LINNET_ASSERT(error.starts_with("file, line "));
    return 0;
  }
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  LINNET_ASSERT(file->size() <= lines);
  std::size_t found = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    at = end + 1;
    if (line.empty() || line.front() == '#') continue;
    const auto key = file->find(line.substr(0, line.find(':')));
    if (!key.empty()) ++found;
    LINNET_ASSERT(key.size() <= linnet::tls::PskFile::kKeyBytesMax);
  }
  LINNET_ASSERT(found == file->size());
  return 0;
}
