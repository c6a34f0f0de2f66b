#include "client/websocket.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>

#include <boost/uuid/detail/sha1.hpp>

#include "base/bytes.hpp"
#include "base/cat.hpp"

namespace linnet::client {

namespace {

using State = net::ReadResult::State;

constexpr std::uint8_t kContinuation = 0;
constexpr std::uint8_t kBinary = 2;
constexpr std::uint8_t kClose = 8;
constexpr std::uint8_t kPing = 9;
constexpr std::uint8_t kPong = 10;
constexpr std::uint8_t kFinal = 0x80;

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t byte = 0; byte < 3; ++byte) {
      const bool there = at + byte < bytes.size();
      group = group << 8 | (there ? static_cast<std::uint8_t>(bytes[at + byte]) : 0U);
    }
    const std::size_t digits = std::min<std::size_t>(bytes.size() - at, 3) + 1;
    for (std::size_t digit = 0; digit < 4; ++digit)
      text += digit < digits ? kDigits[group >> (18 - 6 * digit) & 63] : '=';
  }
  return text;
}

bool same_but_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

/// The value of a header field, without the space around it.
std::string_view field_of(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    const auto end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !same_but_case(line.substr(0, colon), name)) continue;
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ') || value.starts_with('\t'))
      value.remove_prefix(1);
    while (value.ends_with(' ') || value.ends_with('\t'))
      value.remove_suffix(1);
    return value;
  }
  return {};
}

void mask(char* bytes, std::size_t size, std::uint32_t key) {
  const std::uint64_t twice = std::uint64_t{key} << 32 | key;
  std::size_t at = 0;
  for (; at + 8 <= size; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + at, 8);
    word ^= twice;
    std::memcpy(bytes + at, &word, 8);
  }
  char key_bytes[4];
  std::memcpy(key_bytes, &key, 4);
  for (; at < size; ++at)
    bytes[at] = static_cast<char>(bytes[at] ^ key_bytes[at % 4]);
}

}  // namespace

std::string accept_text(std::string_view nonce) {
  const std::string text = cat(nonce, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  boost::uuids::detail::sha1 sha1;
  sha1.process_bytes(text.data(), text.size());
  unsigned int digest[5];
  sha1.get_digest(digest);
  std::array<char, 20> bytes{};
  Writer writer(bytes.data());
  for (const unsigned int word : digest)
    writer.u32(word);
  return base64({bytes.data(), bytes.size()});
}

WebsocketChannel::WebsocketChannel(std::unique_ptr<net::Channel> below, const std::string& host,
                                   const std::string& path)
    : below_(std::move(below)) {
  std::array<char, 16> bytes{};
  for (std::size_t at = 0; at < bytes.size(); ++at)
    bytes[at] = static_cast<char>(random_.below(256));
  nonce_ = base64({bytes.data(), bytes.size()});
  pending_ = cat("GET ", path, " HTTP/1.1\r\nHost: ", host,
                 "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ", nonce_,
                 "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n");
}

std::string WebsocketChannel::fault() const {
  if (!fault_.empty() || below_ == nullptr) return fault_;
  return below_->fault();
}

net::ReadResult WebsocketChannel::fail(std::string fault) {
  if (fault_.empty()) fault_ = std::move(fault);
  stage_ = Stage::broken;
  return {State::failed};
}

bool WebsocketChannel::flush(int socket) {
  blocked_ = false;
  if (pending_.empty()) return true;
  const iovec part{pending_.data() + pending_at_, pending_.size() - pending_at_};
  const auto result = net::write_to(below_.get(), socket, {&part, 1});
  if (result.failed) return false;
  pending_at_ += result.count;
  // A channel below that still opens takes nothing, and is not blocked.
  blocked_ = result.blocked;
  if (pending_at_ == pending_.size()) {
    pending_.clear();
    pending_at_ = 0;
  }
  return true;
}

void WebsocketChannel::append_frame(std::uint8_t opcode, std::span<const iovec> parts,
                                    std::size_t size) {
  std::array<char, 14> head{};
  Writer writer(head.data());
  writer.u8(kFinal | opcode);
  if (size < 126) {
    writer.u8(static_cast<std::uint8_t>(0x80 | size));
  } else if (size < 65'536) {
    writer.u8(0x80 | 126);
    writer.u16(static_cast<std::uint16_t>(size));
  } else {
    writer.u8(0x80 | 127);
    writer.u32(static_cast<std::uint32_t>(std::uint64_t{size} >> 32));
    writer.u32(static_cast<std::uint32_t>(size));
  }
  const auto key = static_cast<std::uint32_t>(random_.u64());
  pending_.append(head.data(), static_cast<std::size_t>(writer.position() - head.data()));
  pending_.append(reinterpret_cast<const char*>(&key), 4);
  const std::size_t at = pending_.size();
  for (const iovec& part : parts) {
    const std::size_t room = size - (pending_.size() - at);
    pending_.append(static_cast<const char*>(part.iov_base), std::min(part.iov_len, room));
  }
  mask(pending_.data() + at, size, key);
}

net::WriteResult WebsocketChannel::write(int socket, std::span<const iovec> parts) {
  if (stage_ == Stage::broken || !flush(socket)) return {0, false, true};
  if (stage_ == Stage::upgrading) return {0, wants_write(), false};
  std::size_t offered = 0;
  for (const iovec& part : parts)
    offered += part.iov_len;
  if (!pending_.empty() || offered == 0) return {0, !pending_.empty(), false};
  const std::size_t size = std::min(offered, kFrameMax);
  append_frame(kBinary, parts, size);
  if (!flush(socket)) return {0, false, true};
  return {size, !pending_.empty(), false};
}

net::WriteResult WebsocketChannel::end(int socket) {
  if (stage_ == Stage::open && !said_goodbye_) {
    said_goodbye_ = true;
    std::uint8_t code[2] = {0x03, 0xE8};  // 1000
    const iovec part{code, sizeof code};
    append_frame(kClose, {&part, 1}, sizeof code);
  }
  if (!flush(socket)) return {0, false, true};
  if (!pending_.empty()) return {0, true, false};
  return net::end_of(below_.get(), socket);
}

net::ReadResult WebsocketChannel::read(int socket, std::span<char> room) {
  if (stage_ == Stage::broken) return {State::failed};
  if (stage_ == Stage::closed) return {State::closed};
  const net::ReadResult result = net::read_from(below_.get(), socket, room);
  if (result.state != State::bytes) {
    // The handshake below may be done now: then the request can go.
    if (result.state == State::again && !flush(socket)) return {State::failed};
    if (result.state == State::closed && stage_ == Stage::upgrading) {
      return fail("has closed the connection instead of upgrading it to WebSocket");
    }
    return result;
  }
  std::string_view bytes(room.data(), result.count);
  if (stage_ == Stage::upgrading && !take_head(bytes)) return {State::failed};
  const std::size_t count = unframe(bytes, room.data());
  if (stage_ == Stage::broken) return {State::failed};
  if (!flush(socket)) return {State::failed};
  if (count > 0) return {State::bytes, count};
  return {stage_ == Stage::closed ? State::closed : State::again};
}

bool WebsocketChannel::take_head(std::string_view& bytes) {
  const std::size_t before = head_.size();
  head_.append(bytes.substr(0, kHeadMax - before));
  const auto end = head_.find("\r\n\r\n");
  if (end == std::string::npos) {
    bytes = {};
    if (head_.size() < kHeadMax) return true;
    (void)fail("has answered the WebSocket upgrade with more than 8 KiB of head");
    return false;
  }
  bytes.remove_prefix(end + 4 - before);
  head_.resize(end + 2);
  if (!accepts(head_)) {
    const std::string_view line = std::string_view(head_).substr(0, head_.find("\r\n"));
    const bool printable =
        std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; });
    (void)fail(cat("refuses the WebSocket upgrade",
                   printable ? cat(": ", line.substr(0, 100)) : std::string()));
    return false;
  }
  stage_ = Stage::open;
  head_ = {};
  return true;
}

bool WebsocketChannel::accepts(std::string_view head) const {
  return head.starts_with("HTTP/1.1 101") &&
         field_of(head, "Sec-WebSocket-Accept") == accept_text(nonce_) &&
         field_of(head, "Sec-WebSocket-Protocol") == "mqtt";
}

bool WebsocketChannel::take_frame_head(std::string_view& bytes) {
  const auto byte = [this](std::size_t at) { return static_cast<std::uint8_t>(frame_head_[at]); };
  std::size_t wanted = 2;
  for (;;) {
    while (frame_head_size_ < wanted && !bytes.empty()) {
      frame_head_[frame_head_size_++] = bytes.front();
      bytes.remove_prefix(1);
    }
    if (frame_head_size_ < wanted) return false;
    const std::uint8_t length = byte(1) & 0x7F;
    const std::size_t whole = length == 126 ? 4 : length == 127 ? 10 : 2;
    if (whole == wanted) break;
    wanted = whole;
  }
  opcode_ = byte(0) & 0x0F;
  frame_left_ = byte(1) & 0x7F;
  if (wanted > 2) frame_left_ = 0;
  for (std::size_t at = 2; at < wanted; ++at)
    frame_left_ = frame_left_ << 8 | byte(at);
  frame_head_size_ = 0;
  const bool control = opcode_ >= kClose;
  const bool known = opcode_ == kContinuation || opcode_ == kBinary || opcode_ == kClose ||
                     opcode_ == kPing || opcode_ == kPong;
  const bool plain = (byte(0) & 0x70) == 0 && (byte(1) & 0x80) == 0;
  const bool fits = !control || (frame_left_ <= kControlMax && (byte(0) & kFinal) != 0);
  if (known && plain && fits) return true;
  (void)fail("has sent a WebSocket frame that is none of MQTT's");
  return false;
}

void WebsocketChannel::on_control_end() {
  // One pong for many pings is allowed, and keeps `pending_` small.
  if (opcode_ == kPing && pending_.empty()) {
    const iovec part{control_.data(), control_.size()};
    append_frame(kPong, {&part, 1}, control_.size());
  }
  if (opcode_ == kClose) stage_ = Stage::closed;
  control_.clear();
}

std::size_t WebsocketChannel::unframe(std::string_view bytes, char* room) {
  std::size_t count = 0;
  while (stage_ == Stage::open) {
    if (frame_left_ == 0) {
      if (bytes.empty() || !take_frame_head(bytes)) break;
      if (frame_left_ == 0 && opcode_ >= kClose) on_control_end();
      continue;
    }
    if (bytes.empty()) break;
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(frame_left_, bytes.size()));
    if (opcode_ >= kClose) {
      control_.append(bytes.substr(0, size));
    } else {
      // Never to the right: frame heads lie between.
      std::memmove(room + count, bytes.data(), size);
      count += size;
    }
    bytes.remove_prefix(size);
    frame_left_ -= size;
    if (frame_left_ == 0 && opcode_ >= kClose) on_control_end();
  }
  return count;
}

}  // namespace linnet::client
