#include "base/message.hpp"

#include <cstring>
#include <new>

#include "base/assert.hpp"

namespace linnet {

namespace {

char* put(char* at, std::string_view bytes) noexcept {
  if (bytes.empty()) return at;
  std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

}  // namespace

Message::Message(const MessageView& view) noexcept
    : payload_size_(static_cast<std::uint32_t>(view.payload.size())),
      properties_size_(static_cast<std::uint32_t>(view.properties.size())),
      topic_size_(static_cast<std::uint16_t>(view.topic.size())),
      publisher_size_(static_cast<std::uint16_t>(view.publisher.size())),
      expires_at_ms_(view.expires_at_ms),
      qos_(view.qos),
      retain_(view.retain) {}

MessagePtr Message::make(const MessageView& view) {
  LINNET_ASSERT(view.topic.size() <= 0xFFFF && view.publisher.size() <= 0xFFFF);
  LINNET_ASSERT(view.payload.size() <= 0xFFFFFFFF && view.properties.size() <= 0xFFFFFFFF);
  const auto size = sizeof(Message) + view.topic.size() + view.publisher.size() +
                    view.properties.size() + view.payload.size();
  auto* memory = static_cast<char*>(::operator new(size));
  const auto* message = new (memory) Message(view);
  char* at = memory + sizeof(Message);
  at = put(at, view.topic);
  at = put(at, view.publisher);
  at = put(at, view.properties);
  put(at, view.payload);
  return MessagePtr(message);
}

void Message::destroy(const Message* message) noexcept {
  message->~Message();
  ::operator delete(const_cast<Message*>(message));
}

}  // namespace linnet
