// Whatever a service answers, in whatever pieces: the reader stays within its bounds, comes to the
// same end as with all of it at once, and gives nothing that it has not been given.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.hpp"
#include "web/http_exchange.hpp"

namespace {

using linnet::web::ResponseReader;
using State = ResponseReader::State;

/// Up to its end, or the end of the bytes; then the stream ends.
State read(ResponseReader& reader, std::string_view bytes, std::size_t piece) {
  reader.start();
  State state = State::incomplete;
  while (!bytes.empty() && state == State::incomplete) {
    const auto part = bytes.substr(0, piece);
    state = reader.feed(part);
    bytes.remove_prefix(part.size());
  }
  return state == State::incomplete ? reader.finish() : state;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  ResponseReader whole;
  ResponseReader pieces;
  const State at_once = read(whole, bytes, std::max<std::size_t>(bytes.size(), 1));
  const State slowly = read(pieces, bytes, std::size_t{1} + data[0] % 64U);
  LINNET_ASSERT((at_once == State::whole) == (slowly == State::whole));
  LINNET_ASSERT(at_once != State::incomplete && slowly != State::incomplete);
  if (at_once != State::whole) return 0;
  LINNET_ASSERT(whole.status() == pieces.status() && whole.body() == pieces.body());
  LINNET_ASSERT(whole.body().size() <= std::min<std::size_t>(ResponseReader::kBodyMax, size));
  return 0;
}
