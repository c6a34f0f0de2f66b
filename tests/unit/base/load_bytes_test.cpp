#include "base/load_bytes.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <string_view>

namespace linnet {
namespace {

constexpr std::string_view kBytes = "\x81\x02\xf3\x04\x85\x06\xf7\x08";

TEST(LoadBytes, TheFirstIsTheLowest) {
  std::uint64_t expected = 0;
  for (std::size_t count = 0; count <= kBytes.size(); ++count) {
    // On the heap and no byte larger, so that a sanitizer sees what is read beyond.
    const auto bytes = std::make_unique<char[]>(count);
    kBytes.copy(bytes.get(), count);
    EXPECT_EQ(load_bytes(bytes.get(), count), expected) << count;
    if (count == kBytes.size()) break;
    expected |= std::uint64_t{static_cast<unsigned char>(kBytes[count])} << (8 * count);
  }
}

}  // namespace
}  // namespace linnet
