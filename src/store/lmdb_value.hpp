// Views as LMDB passes them. For the files that include lmdb.h.
#pragma once

#include <lmdb.h>
#include <string_view>

namespace linnet::store {

[[nodiscard]] inline MDB_val to_value(std::string_view bytes) noexcept {
  return {bytes.size(), const_cast<char*>(bytes.data())};
}

[[nodiscard]] inline std::string_view to_view(const MDB_val& value) noexcept {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

}  // namespace linnet::store
