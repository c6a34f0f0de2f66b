#include "mqtt/property_writer.hpp"

#include "mqtt/put.hpp"

namespace linnet::mqtt {

void PropertyWriter::u8(Property id, std::uint8_t value) {
  put_u8(bytes_, static_cast<std::uint8_t>(id));
  put_u8(bytes_, value);
}

void PropertyWriter::u16(Property id, std::uint16_t value) {
  put_u8(bytes_, static_cast<std::uint8_t>(id));
  put_u16(bytes_, value);
}

void PropertyWriter::u32(Property id, std::uint32_t value) {
  u16(id, static_cast<std::uint16_t>(value >> 16));
  put_u16(bytes_, static_cast<std::uint16_t>(value));
}

void PropertyWriter::varint(Property id, std::uint32_t value) {
  put_u8(bytes_, static_cast<std::uint8_t>(id));
  put_varint(bytes_, value);
}

void PropertyWriter::text(Property id, std::string_view value) {
  if (!value.empty()) string(id, value);
}

void PropertyWriter::string(Property id, std::string_view value) {
  put_u8(bytes_, static_cast<std::uint8_t>(id));
  put_string(bytes_, value);
}

void PropertyWriter::pair(std::string_view name, std::string_view value) {
  string(Property::user_property, name);
  put_string(bytes_, value);
}

void PropertyWriter::put_on(std::string& target) const {
  put_properties(target, bytes_);
}

void put_properties(std::string& target, std::string_view properties) {
  put_varint(target, properties.size());
  target.append(properties);
}

}  // namespace linnet::mqtt
