// CRC-32C (Castagnoli; RFC 3720, section 12.1): what tells a damaged record from a whole one. Its
// values are the same on every machine and in every version. Not against forgery. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace linnet {

/// The checksum of `bytes`, or, with the checksum of what stands before them, of the whole:
/// crc32c(b, crc32c(a)) == crc32c(ab).
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0) noexcept;

/// The same without the processor's help: what machines do that have no instruction for it.
[[nodiscard]] std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t crc = 0) noexcept;

}  // namespace linnet
