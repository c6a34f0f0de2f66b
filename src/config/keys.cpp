#include "config/keys.hpp"

#include "base/assert.hpp"
#include "config/value.hpp"

namespace linnet::config {
namespace {

std::string quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

std::string choices_text(const Key& key) {
  std::string text;
  for (const std::string_view name : key.choices) {
    if (!text.empty()) text += ", ";
    text += quoted(name);
  }
  return text;
}

}  // namespace

std::string_view Key::section() const noexcept {
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

std::string_view Key::short_name() const noexcept {
  return name.substr(name.rfind('.') + 1);
}

const Key* find_key(std::string_view name) noexcept {
  for (const Key& key : all_keys()) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

const Section* find_section(std::string_view name) noexcept {
  for (const Section& section : all_sections()) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

const Section* list_of(const Key& key) noexcept {
  for (auto dot = key.name.rfind('.'); dot != std::string_view::npos;) {
    const Section* section = find_section(key.name.substr(0, dot));
    if (section != nullptr && section->list) return section;
    if (dot == 0) break;
    dot = key.name.rfind('.', dot - 1);
  }
  return nullptr;
}

const Key* listener_key_of(const Key& key) noexcept {
  constexpr std::string_view kPrefix = "listener.";
  for (const Key& other : all_keys()) {
    if (other.name.starts_with(kPrefix) && other.name.substr(kPrefix.size()) == key.name) {
      return &other;
    }
  }
  return nullptr;
}

std::string number_text(const Key& key, std::uint64_t number) {
  if (key.may_be_never() && number == key.never) return quoted("never");
  switch (key.type) {
    case KeyType::boolean: return number == 0 ? "false" : "true";
    case KeyType::integer: return std::to_string(number);
    case KeyType::size: return quoted(size_text(number));
    case KeyType::duration: return quoted(duration_text(number));
    case KeyType::seconds: return quoted(duration_text(number * 1000));
    case KeyType::choice:
      LINNET_ASSERT(number < key.choices.size());
      return quoted(key.choices[static_cast<std::size_t>(number)]);
    case KeyType::text:
    case KeyType::texts: break;
  }
  LINNET_ASSERT(false);
}

std::string allowed_text(const Key& key) {
  switch (key.type) {
    case KeyType::boolean: return "true, false";
    case KeyType::choice: return choices_text(key);
    case KeyType::text: return "a text";
    case KeyType::texts: return "texts";
    case KeyType::integer:
    case KeyType::size:
    case KeyType::duration:
    case KeyType::seconds: break;
  }
  std::string text = number_text(key, key.min) + " to " + number_text(key, key.max);
  if (key.may_be_never()) text += ", or \"never\"";
  return text;
}

std::string default_text(const Key& key) {
  Config config;
  if (const Section* list = list_of(key)) list->append(config);
  if (key.type == KeyType::text) return quoted(key.field.text(config));
  if (key.type == KeyType::texts) return shown(key.field.texts(config));
  return number_text(key, key.field.number(config));
}

}  // namespace linnet::config
