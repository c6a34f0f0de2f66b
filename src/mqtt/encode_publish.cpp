#include <array>
#include <charconv>

#include "base/assert.hpp"
#include "mqtt/encode.hpp"
#include "mqtt/property.hpp"
#include "mqtt/put.hpp"

namespace linnet::mqtt {
namespace {

constexpr std::string_view kDroppedName = "linnet-dropped";

// The decimal digits of a count, without an allocation.
class Digits {
 public:
  explicit Digits(std::uint32_t number) noexcept {
    const auto end = std::to_chars(text_.data(), text_.data() + text_.size(), number).ptr;
    size_ = static_cast<std::size_t>(end - text_.data());
  }
  [[nodiscard]] std::string_view text() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, 10> text_;
  std::size_t size_ = 0;
};

std::size_t properties_size(const OutgoingPublish& publish) noexcept {
  std::size_t size = publish.forwarded.size();
  if (publish.topic_alias != 0) size += 3;
  if (publish.message_expiry_s) size += 5;
  for (const auto id : publish.subscription_ids)
    size += 1 + varint_size(id);
  if (publish.dropped != 0) {
    size += 1 + 2 + kDroppedName.size() + 2 + Digits(publish.dropped).text().size();
  }
  return size;
}

void write_id(Writer& out, Property id) noexcept {
  out.u8(static_cast<std::uint8_t>(id));
}

void write_properties(Writer& out, const OutgoingPublish& publish) noexcept {
  if (publish.topic_alias != 0) {
    write_id(out, Property::topic_alias);
    out.u16(publish.topic_alias);
  }
  if (publish.message_expiry_s) {
    write_id(out, Property::message_expiry_interval);
    out.u32(*publish.message_expiry_s);
  }
  for (const auto id : publish.subscription_ids) {
    write_id(out, Property::subscription_identifier);
    out.varint(id);
  }
  out.bytes(publish.forwarded);
  if (publish.dropped != 0) {
    write_id(out, Property::user_property);
    out.string(kDroppedName);
    out.string(Digits(publish.dropped).text());
  }
}

// A size that no packet can have is kept out of varint_size: the caller refuses the packet.
std::size_t length_size(std::size_t length) noexcept {
  return length > 0x0FFF'FFFF ? 4 : varint_size(static_cast<std::uint32_t>(length));
}

}  // namespace

PublishLayout layout_of(const OutgoingPublish& publish, Version version) noexcept {
  LINNET_ASSERT(publish.topic.size() <= kStringMax);
  PublishLayout layout;
  const bool has_id = publish.qos != Qos::at_most_once;
  std::size_t head = 2 + publish.topic.size() + (has_id ? 2 : 0);
  if (version == Version::v5) {
    layout.properties_size = properties_size(publish);
    head += length_size(layout.properties_size) + layout.properties_size;
  }
  layout.remaining_size = head + publish.payload.size();
  const auto fixed = 1 + length_size(layout.remaining_size);
  if (has_id) layout.packet_id_offset = fixed + 2 + publish.topic.size();
  layout.head_size = fixed + head;
  layout.size = layout.head_size + publish.payload.size();
  return layout;
}

void write_publish_head(Writer& out, const OutgoingPublish& publish, const PublishLayout& layout,
                        Version version) noexcept {
  const auto qos = static_cast<unsigned>(publish.qos);
  const auto flags = (publish.dup ? 8u : 0u) | (qos << 1) | (publish.retain ? 1u : 0u);
  out.u8(static_cast<std::uint8_t>(0x30u | flags));
  out.varint(static_cast<std::uint32_t>(layout.remaining_size));
  out.string(publish.topic);
  if (publish.qos != Qos::at_most_once) out.u16(publish.packet_id);
  if (version != Version::v5) return;
  out.varint(static_cast<std::uint32_t>(layout.properties_size));
  write_properties(out, publish);
}

void append(std::string& target, const OutgoingPublish& publish, Version version) {
  const auto layout = layout_of(publish, version);
  const auto begin = target.size();
  target.resize(begin + layout.head_size);
  Writer out(target.data() + begin);
  write_publish_head(out, publish, layout, version);
  LINNET_ASSERT(out.position() == target.data() + target.size());
  target.append(publish.payload);
}

}  // namespace linnet::mqtt
