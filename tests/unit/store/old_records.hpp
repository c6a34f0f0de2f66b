// Records as older versions of Linnet have written them, byte by byte: they must be read for ever.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/crc32c.hpp"

namespace linnet::store {

/// A record with its version and a right checksum, whatever its content.
inline std::string sealed_record(std::string_view key, std::uint8_t version,
                                 std::string_view content) {
  std::string record(4, '\0');
  record += static_cast<char>(version);
  record += content;
  const std::uint32_t crc = crc32c(std::string_view(record).substr(4), crc32c(key));
  for (unsigned i = 0; i < 4; ++i)
    record[i] = static_cast<char>(crc >> (8 * i));
  return record;
}

/// Of MQTT 5, not connected, with an expiry of 0x0E10 (3600) seconds that does not run yet, and
/// without an owner.
inline std::string old_session_record(std::string_view key, std::string_view client_id) {
  std::string content("\x05\x00\x10\x0E\x00\x00", 6);
  content.append(16, '\0');
  return sealed_record(key, 1, content.append(client_id));
}

}  // namespace linnet::store
