#include "cli/manual.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

#include "base/cat.hpp"
#include "config/keys.hpp"

namespace linnet::cli {

namespace {

/// As roff prints it unchanged. A dash is one that can be copied into a shell.
std::string plain(std::string_view text) {
  std::string roff;
  bool at_start = true;
  for (const char one : text) {
    // A line that begins so is an order to roff.
    if (at_start && (one == '.' || one == '\'')) roff += "\\&";
    at_start = one == '\n';
    switch (one) {
      case '\\': roff += "\\e"; break;
      case '-': roff += "\\-"; break;
      case '^': roff += "\\(ha"; break;
      case '~': roff += "\\(ti"; break;
      case '\'': roff += "\\(aq"; break;
      default: roff += one;
    }
  }
  return roff;
}

std::string bold(std::string_view text) {
  return cat("\\fB", plain(text), "\\fP");
}

std::string italic(std::string_view text) {
  return cat("\\fI", plain(text), "\\fP");
}

/// The key table's Markdown: `code` and [links](elsewhere).
std::string from_markdown(std::string_view text) {
  std::string roff;
  while (!text.empty()) {
    const auto mark = text.find_first_of("`[");
    roff += plain(text.substr(0, mark));
    if (mark == std::string_view::npos) break;
    text.remove_prefix(mark + 1);
    if (text.data()[-1] == '`') {
      const auto end = std::min(text.find('`'), text.size());
      roff += bold(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
      continue;
    }
    const auto end = text.find("](");
    const auto link_end = text.find(')', std::min(end, text.size()));
    if (link_end == std::string_view::npos) {
      roff += '[';
      continue;
    }
    roff += plain(text.substr(0, end));
    text.remove_prefix(link_end + 1);
  }
  return roff;
}

// Commands ----------------------------------------------------------------------------------------

std::string type_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.substr(0, type.find(':'));
}

/// The names of an option with its value: "-c, --create" or "--config FILE".
std::string head_of(const CLI::Option& option) {
  if (option.get_positional()) return italic(option.get_name(true));
  std::string head;
  const auto add = [&head](const char* dashes, const std::string& name) {
    if (!head.empty()) head += ", ";
    head += bold(dashes + name);
  };
  for (const std::string& name : option.get_snames())
    add("-", name);
  for (const std::string& name : option.get_lnames())
    add("--", name);
  if (option.get_items_expected_max() > 0) head += cat(' ', italic(type_of(option)));
  return head;
}

std::string option_text(const CLI::Option& option) {
  std::string text = cat(".TP\n", head_of(option), '\n', plain(option.get_description()));
  const std::string standard = option.get_default_str();
  if (!standard.empty()) text += cat(" (default: ", plain(standard), ')');
  return text + '\n';
}

std::string synopsis(const CLI::App& command, const std::string& name) {
  std::string text = bold(name);
  bool has_options = false;
  std::string words;
  for (const CLI::Option* const option : command.get_options()) {
    if (option->get_group().empty() || option == command.get_help_ptr()) continue;
    has_options = has_options || option->nonpositional();
    if (!option->get_positional()) continue;
    const bool several = option->get_items_expected_max() > 1;
    const std::string word = cat(italic(option->get_name(true)), several ? "..." : "");
    words += option->get_required() ? cat(' ', word) : cat(" [", word, ']');
  }
  if (has_options) text += cat(" [", italic("options"), ']');
  return text + words;
}

bool is_shown(const CLI::App* command) {
  return !command->get_group().empty();
}

std::string command_text(const CLI::App& command, const std::string& name) {
  const auto parts = command.get_subcommands(is_shown);
  std::string text = cat(".SS \"", plain(name), "\"\n");
  if (parts.empty()) text += cat(synopsis(command, name), "\n.PP\n");
  text += cat(plain(command.get_description()), ".\n");
  for (const CLI::Option* const option : command.get_options()) {
    if (option->get_group().empty() || option == command.get_help_ptr()) continue;
    text += option_text(*option);
  }
  const std::string footer = command.get_footer();
  if (!footer.empty()) text += cat(".PP\n.nf\n", plain(footer), "\n.fi\n");
  for (const CLI::App* const part : parts)
    text += command_text(*part, cat(name, ' ', part->get_name()));
  return text;
}

// Keys --------------------------------------------------------------------------------------------

std::string heading(const config::Section& section) {
  if (section.name.empty()) return "Top level";
  return section.list ? cat("[[", section.name, "]]") : cat('[', section.name, ']');
}

std::string key_text(const config::Key& key) {
  const std::string standard =
      key.default_note.empty() ? bold(config::default_text(key)) : from_markdown(key.default_note);
  const bool words = key.type == config::KeyType::text || key.type == config::KeyType::texts;
  std::string text = cat(".TP\n", bold(key.short_name()), '\n', from_markdown(key.meaning), '\n');
  if (!words) text += cat("Allowed: ", bold(config::allowed_text(key)), ".\n");
  text += cat("Default: ", standard, ".\n");
  if (key.restart) text += "Needs a restart.\n";
  return text;
}

}  // namespace

std::string manual_of_commands(const CLI::App& app) {
  std::string text;
  for (const CLI::App* const command : app.get_subcommands(is_shown))
    text += command_text(*command, cat("linnet ", command->get_name()));
  return text;
}

std::string manual_of_keys() {
  std::string text;
  for (const config::Section& section : config::all_sections()) {
    text += cat(".SS \"", plain(heading(section)), "\"\n", from_markdown(section.meaning), '\n');
    if (!section.same_keys_as.empty()) continue;
    for (const config::Key& key : config::all_keys()) {
      if (key.section() == section.name) text += key_text(key);
    }
  }
  return text;
}

}  // namespace linnet::cli
