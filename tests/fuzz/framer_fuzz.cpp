// What next_frame says of some bytes must not depend on how they arrive: a bad packet stays bad, an
// incomplete one keeps its promise of what is missing, and a whole one is the same however much
// follows.
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "mqtt/framer.hpp"

namespace {

using linnet::mqtt::Framed;
using linnet::mqtt::next_frame;
using State = Framed::State;

constexpr std::size_t kSizeMax = 4096;
constexpr std::size_t kPrefixMax = 64;

void check_whole(std::string_view bytes, const Framed& found) {
  const auto& frame = found.frame;
  LINNET_ASSERT(frame.whole.data() == bytes.data());
  LINNET_ASSERT(frame.whole.size() <= bytes.size() && frame.whole.size() <= kSizeMax);
  LINNET_ASSERT(frame.whole.ends_with(frame.body));
  const auto head = frame.whole.size() - frame.body.size();
  LINNET_ASSERT(head >= 2 && head <= 5);
  LINNET_ASSERT(next_frame(frame.whole, kSizeMax).state == State::whole);
  const auto cut = frame.whole.substr(0, frame.whole.size() - 1);
  LINNET_ASSERT(next_frame(cut, kSizeMax).state == State::incomplete);
}

void check_prefixes(std::string_view bytes, const Framed& found) {
  for (std::size_t size = 0; size < bytes.size() && size < kPrefixMax; ++size) {
    const auto part = next_frame(bytes.substr(0, size), kSizeMax);
    if (part.state == State::incomplete) {
      LINNET_ASSERT(part.size_min > size);
      if (found.state == State::whole) {
        LINNET_ASSERT(part.size_min <= found.frame.whole.size());
      }
    } else {
      LINNET_ASSERT(part.state == found.state);
      if (part.state == State::whole) {
        LINNET_ASSERT(part.frame.whole.size() == found.frame.whole.size());
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (;;) {
    const auto found = next_frame(bytes, kSizeMax);
    check_prefixes(bytes, found);
    if (found.state == State::bad) LINNET_ASSERT(found.error.text[0] != '\0');
    if (found.state == State::incomplete) LINNET_ASSERT(found.size_min > bytes.size());
    if (found.state != State::whole) return 0;
    check_whole(bytes, found);
    bytes.remove_prefix(found.frame.whole.size());
  }
}
