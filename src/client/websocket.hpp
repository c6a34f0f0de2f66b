// The client's side of MQTT over WebSocket (RFC 6455): the upgrade, and binary frames. What is
// written becomes one masked frame for each call. See net/channel.hpp for threads and rules.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "net/channel.hpp"

namespace linnet::client {

/// What a server has to answer to a nonce (RFC 6455, section 4.2.2).
[[nodiscard]] std::string accept_text(std::string_view nonce);

class WebsocketChannel final : public net::Channel {
 public:
  /// `below` may be null: plain TCP.
  WebsocketChannel(std::unique_ptr<net::Channel> below, const std::string& host,
                   const std::string& path);

  [[nodiscard]] net::ReadResult read(int socket, std::span<char> room) override;
  [[nodiscard]] net::WriteResult write(int socket, std::span<const iovec> parts) override;
  [[nodiscard]] net::WriteResult end(int socket) override;
  [[nodiscard]] bool has_more() const noexcept override {
    return below_ != nullptr && below_->has_more();
  }
  [[nodiscard]] bool wants_write() const noexcept override {
    return blocked_ || (below_ != nullptr && below_->wants_write());
  }
  [[nodiscard]] bool is_opening() const noexcept override { return stage_ == Stage::upgrading; }
  [[nodiscard]] std::string fault() const override;

 private:
  enum class Stage : std::uint8_t { upgrading, open, closed, broken };

  [[nodiscard]] net::ReadResult fail(std::string fault);
  /// Takes the answer's head off `bytes`. False if it is broken.
  [[nodiscard]] bool take_head(std::string_view& bytes);
  [[nodiscard]] bool accepts(std::string_view head) const;
  /// Moves what the frames of `bytes` carry to `room`, which they may lie in, and says how much.
  [[nodiscard]] std::size_t unframe(std::string_view bytes, char* room);
  [[nodiscard]] bool take_frame_head(std::string_view& bytes);
  void on_control_end();
  void append_frame(std::uint8_t opcode, std::span<const iovec> parts, std::size_t size);
  /// Writes what is pending; false if the wire has failed.
  [[nodiscard]] bool flush(int socket);

  static constexpr std::size_t kHeadMax = 8 << 10;
  static constexpr std::size_t kControlMax = 125;
  static constexpr std::size_t kFrameMax = 64 << 10;

  std::unique_ptr<net::Channel> below_;
  Random random_;
  std::string nonce_;

  Stage stage_ = Stage::upgrading;
  bool blocked_ = false;
  bool said_goodbye_ = false;
  std::string fault_;
  std::string head_;     // of the answer, until it is whole
  std::string pending_;  // to be written
  std::size_t pending_at_ = 0;

  // The frame that is being read.
  std::array<char, 10> frame_head_{};
  std::size_t frame_head_size_ = 0;
  std::uint64_t frame_left_ = 0;
  std::uint8_t opcode_ = 0;
  std::string control_;  // the payload of a control frame
};

}  // namespace linnet::client
