#include "config/document.hpp"

#include "config/keys.hpp"

namespace linnet::config {
namespace {

std::string heading(const Section& section) {
  if (section.name.empty()) return "### Top level";
  const std::string name(section.name);
  return section.list ? "### `[[" + name + "]]`" : "### `[" + name + "]`";
}

std::string code(const std::string& text) {
  return '`' + text + '`';
}

std::string row(const Key& key) {
  const std::string standard =
      key.default_note.empty() ? code(default_text(key)) : std::string(key.default_note);
  const bool words = key.type == KeyType::text || key.type == KeyType::texts;
  const std::string allowed = words ? allowed_text(key) : code(allowed_text(key));
  return "| `" + std::string(key.short_name()) + "` | " + standard + " | " + allowed + " | " +
         std::string(key.meaning) + (key.restart ? " Needs a restart. |\n" : " |\n");
}

}  // namespace

std::string keys_markdown() {
  std::string text;
  for (const Section& section : all_sections()) {
    if (!text.empty()) text += '\n';
    text += heading(section) + "\n\n" + std::string(section.meaning) + "\n";
    if (!section.same_keys_as.empty()) continue;
    text += '\n';
    text += "| key | default | allowed | meaning |\n|---|---|---|---|\n";
    for (const Key& key : all_keys()) {
      if (key.section() == section.name) text += row(key);
    }
  }
  return text;
}

}  // namespace linnet::config
