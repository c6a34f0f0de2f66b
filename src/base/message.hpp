// An application message on its way through a shard.
//
// A Publication is a message that is being published right now: views into the packet that it came
// in, so that a message which nobody keeps costs no allocation. A Message is one that somebody
// keeps (in flight, in a backlog, in a letter): immutable, one allocation, with a count that is not
// atomic and belongs to the shard it is in. Between shards travels a copy (clone()).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <linnet/types.hpp>

namespace linnet {

class Message;
using MessagePtr = boost::intrusive_ptr<const Message>;

/// What a message consists of; the views belong to somebody else.
struct MessageView {
  std::string_view topic;
  std::string_view payload;
  /// The MQTT 5 properties that travel with it, in wire form and order (see
  /// mqtt::PublishProperties).
  std::string_view properties;
  /// The client identifier of the publisher: for No Local, hash_clientid and logs; empty if the
  /// broker itself publishes.
  std::string_view publisher;
  /// When the message expires, in ms of the monotonic clock; kNever if it does not.
  std::uint64_t expires_at_ms = 0;
  Qos qos = Qos::at_most_once;
  bool retain = false;
};

/// For deadlines: no deadline.
inline constexpr std::uint64_t kNever = 0;

class Message {
 public:
  [[nodiscard]] static MessagePtr make(const MessageView& view);

  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  [[nodiscard]] MessageView view() const noexcept {
    return {topic(), payload(), properties(), publisher(), expires_at_ms_, qos_, retain_};
  }
  [[nodiscard]] std::string_view topic() const noexcept { return {bytes(), topic_size_}; }
  [[nodiscard]] std::string_view publisher() const noexcept {
    return {bytes() + topic_size_, publisher_size_};
  }
  [[nodiscard]] std::string_view properties() const noexcept {
    return {bytes() + topic_size_ + publisher_size_, properties_size_};
  }
  [[nodiscard]] std::string_view payload() const noexcept {
    return {bytes() + topic_size_ + publisher_size_ + properties_size_, payload_size_};
  }
  [[nodiscard]] std::uint64_t expires_at_ms() const noexcept { return expires_at_ms_; }
  [[nodiscard]] Qos qos() const noexcept { return qos_; }
  [[nodiscard]] bool retain() const noexcept { return retain_; }
  /// What it takes in memory, for limits and counters.
  [[nodiscard]] std::size_t memory_bytes() const noexcept {
    return sizeof(Message) + topic_size_ + publisher_size_ + properties_size_ + payload_size_;
  }
  /// A copy with a count of its own, for a letter to another shard.
  [[nodiscard]] MessagePtr clone() const { return make(view()); }

 private:
  explicit Message(const MessageView& view) noexcept;
  ~Message() = default;

  friend void intrusive_ptr_add_ref(const Message* message) noexcept { ++message->count_; }
  friend void intrusive_ptr_release(const Message* message) noexcept {
    if (--message->count_ == 0) destroy(message);
  }
  static void destroy(const Message* message) noexcept;
  /// The bytes of topic, publisher, properties and payload stand behind the object.
  [[nodiscard]] const char* bytes() const noexcept {
    return reinterpret_cast<const char*>(this + 1);
  }

  mutable std::uint32_t count_ = 0;
  std::uint32_t payload_size_;
  std::uint32_t properties_size_;
  std::uint16_t topic_size_;
  std::uint16_t publisher_size_;
  std::uint64_t expires_at_ms_;
  Qos qos_;
  bool retain_;
};

/// A message that is being published. Whoever must keep it calls keep(); all keepers share one
/// copy.
class Publication {
 public:
  explicit Publication(const MessageView& view) noexcept : view_(view) {}
  /// A message that is kept already (from a letter, a will, a backlog).
  explicit Publication(MessagePtr message) noexcept
      : view_(message->view()), message_(std::move(message)) {}

  [[nodiscard]] const MessageView& view() const noexcept { return view_; }
  [[nodiscard]] const MessageView* operator->() const noexcept { return &view_; }
  [[nodiscard]] const MessagePtr& keep() {
    if (!message_) message_ = Message::make(view_);
    return message_;
  }
  /// The kept message, or null if nobody has kept it so far.
  [[nodiscard]] const MessagePtr& kept() const noexcept { return message_; }

 private:
  MessageView view_;
  MessagePtr message_;
};

}  // namespace linnet
