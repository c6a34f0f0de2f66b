// Reads a whole small file that may hold keys. Any thread; it blocks for the disk.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "tls/authority_secret.hpp"

namespace linnet::tls {

/// PEM files and lists; far beyond what they need.
inline constexpr std::size_t kFileBytesMax = 16 << 20;

/// Nothing if it can't be read, is not a plain file, or is larger than kFileBytesMax: `error` then
/// names it and says why.
[[nodiscard]] std::optional<Secret> read_secret(const std::string& file, std::string& error);

}  // namespace linnet::tls
