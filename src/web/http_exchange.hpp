// The client's side of HTTP/1.1, as far as a question to a service needs it: one POST of JSON, and
// its response, read as it comes and within bounds. Pure: bytes in, bytes out. Redirects are not
// followed: they are responses like any other. One thread at a time.
//
//   append_post(bytes, {.host = "auth.example", .target = "/login", .body = json});
//   ...
//   if (reader.feed(received) == ResponseReader::State::whole) use(reader.status(), reader.body());
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace linnet::web {

/// Views of what the caller keeps. All but the body are written as they are: they must have no
/// control characters (see is_header_text).
struct PostRequest {
  std::string_view host;           // with the port, if it is not the scheme's own
  std::string_view target;         // "/auth?site=1"
  std::string_view authorization;  // empty: no such header
  std::string_view body;           // JSON
};

/// Asks for a connection that stays. Makes room once, so that no copy of a secret is left behind
/// if `out` is empty.
void append_post(std::string& out, const PostRequest& request);

/// Whether the text may be the value of a header: visible ASCII and blanks.
[[nodiscard]] bool is_header_text(std::string_view text) noexcept;

/// Reads the responses of a connection, one after the other.
class ResponseReader {
 public:
  enum class State : std::uint8_t {
    incomplete,
    whole,
    bad,            // this is not a response of HTTP/1
    head_too_long,  // more than kHeadMax
    body_too_long,  // more than kBodyMax
  };
  static constexpr std::uint32_t kHeadMax = 8 << 10;   // bytes
  static constexpr std::uint32_t kBodyMax = 64 << 10;  // the same
  /// Of all that is read for one response: small chunks have more frame than body.
  static constexpr std::size_t kBytesMax = 256 << 10;

  ResponseReader();
  ResponseReader(const ResponseReader&) = delete;
  ResponseReader& operator=(const ResponseReader&) = delete;
  ~ResponseReader();

  /// Before each response.
  void start();
  /// Not after it was anything but incomplete.
  [[nodiscard]] State feed(std::string_view bytes);
  /// The other side has ended the stream: for some responses this is the end of the body, for all
  /// others they are cut off (`bad`).
  [[nodiscard]] State finish();

  /// Some bytes of the response have come.
  [[nodiscard]] bool has_begun() const noexcept { return bytes_ > 0; }

  // Once it is whole.

  [[nodiscard]] unsigned status() const noexcept;
  [[nodiscard]] std::string_view body() const noexcept;
  /// The connection may carry another question: the service keeps it, and has sent nothing that was
  /// not asked for.
  [[nodiscard]] bool keeps_connection() const noexcept;

 private:
  struct Parser;
  [[nodiscard]] State put();

  std::unique_ptr<Parser> parser_;
  std::string unread_;
  std::size_t bytes_ = 0;
};

}  // namespace linnet::web
