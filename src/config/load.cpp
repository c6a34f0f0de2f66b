#include "config/load.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <map>
#include <system_error>
#include <utility>

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "base/assert.hpp"
#include "config/assign.hpp"
#include "config/bare_text.hpp"
#include "config/keys.hpp"
#include "config/validate.hpp"

namespace linnet::config {
namespace {

int line_of(const toml::source_region& source) {
  return static_cast<int>(source.begin.line);
}

Value value_of_array(const toml::array& array) {
  Texts texts;
  for (const toml::node& element : array) {
    const auto* text = element.as_string();
    if (text == nullptr) return OtherValue{"an array"};
    texts.push_back(text->get());
  }
  return texts;
}

Value value_of_node(const toml::node& node) {
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* text = node.as_string()) return text->get();
  if (node.is_floating_point()) return OtherValue{"a number with a point"};
  if (const auto* array = node.as_array()) return value_of_array(*array);
  if (node.is_table()) return OtherValue{"a section"};
  return OtherValue{"a date or time"};
}

std::string mend_of_list_key(const Key& key) {
  std::string text = "is a key of a list; set it in the file";
  if (list_of(key)->name != "listener") return text;
  const std::string_view common = key.name.substr(key.name.find('.') + 1);
  if (find_key(common) == nullptr) return text + " or use --listen";
  return text + ", or " + std::string(common) + " for all listeners";
}

/// A listener's keys work on the last listener of a configuration, so it becomes one.
void assign_to(ListenerConfig& listener, const Key& key, const Value& value) {
  Config config;
  config.listeners.push_back(std::move(listener));
  [[maybe_unused]] const auto error = assign(config, key, value);
  LINNET_ASSERT(!error);
  listener = std::move(config.listeners.back());
}

/// Walks a parsed file and fills a Config, key by key.
class Reader {
 public:
  Reader(const std::string& name, LoadResult& result) : name_(name), result_(result) {}

  void read(const toml::table& root) {
    read_table(root, "");
    for (ConfigConflict& conflict : validate(result_.config)) {
      const std::string_view list =
          std::string_view(conflict.key).substr(0, conflict.key.rfind('.'));
      const auto& lines = lines_[std::string(list)];
      const bool has_line = conflict.index < lines.size();
      add(has_line ? lines[conflict.index] : 0, std::move(conflict.key), std::move(conflict.text));
    }
    std::ranges::stable_sort(result_.errors, {}, &ConfigError::line);
  }

 private:
  void add(int line, std::string key, std::string text) {
    result_.errors.push_back({name_, line, std::move(key), std::move(text)});
  }

  void read_table(const toml::table& table, const std::string& prefix) {
    for (auto&& [key, node] : table) {
      const std::string name = prefix + std::string(key.str());
      if (find_section(name) == nullptr) read_key(line_of(key.source()), name, node);
    }
    // Lists last, wherever they stand: their elements begin with what the rest says.
    for (const bool lists : {false, true}) {
      for (auto&& [key, node] : table) {
        const Section* section = find_section(prefix + std::string(key.str()));
        if (section == nullptr || section->list != lists) continue;
        read_section(line_of(key.source()), *section, node);
      }
    }
  }

  void read_key(int line, const std::string& name, const toml::node& node) {
    const Key* key = find_key(name);
    if (key == nullptr) return add(line, name, unknown_key_text(name));
    if (auto text = assign(result_.config, *key, value_of_node(node))) {
      add(line, name, std::move(*text));
    }
  }

  void read_section(int line, const Section& section, const toml::node& node) {
    const std::string name(section.name);
    if (!section.list) {
      const toml::table* table = node.as_table();
      if (table != nullptr) return read_table(*table, name + '.');
      return add(line, name, "is a section; write [" + name + ']');
    }
    const toml::array* array = node.as_array();
    const bool tables = array != nullptr && array->is_homogeneous<toml::table>();
    if (!tables) return add(line, name, "is a list of sections; write [[" + name + "]]");
    for (auto&& element : *array) {
      section.append(result_.config);
      const int begin = line_of(element.source());
      lines_[name].push_back(begin);
      if (name == "auth.rule") {
        result_.config.auth.rules.back().place = name_ + ':' + std::to_string(begin);
      }
      read_table(*element.as_table(), name + '.');
    }
    if (name == "listener") result_.listener_lines = lines_[name];
  }

  const std::string& name_;
  LoadResult& result_;
  std::map<std::string, std::vector<int>> lines_;  // where the elements of each list begin
};

}  // namespace

std::string to_string(const ConfigError& error) {
  std::string text = error.file;
  if (error.line > 0) text += ':' + std::to_string(error.line);
  if (!error.key.empty()) text += ": " + error.key;
  return text + ": " + error.text;
}

LoadResult load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text;
  std::array<char, 4096> part;
  while (file.read(part.data(), part.size()) || file.gcount() > 0) {
    text.append(part.data(), static_cast<std::size_t>(file.gcount()));
  }
  // A folder can be opened, and fails only at its first byte.
  if (!file.is_open() || file.bad()) {
    LoadResult result;
    const std::string reason = std::generic_category().message(errno);
    result.errors.push_back({path, 0, "", "cannot be read: " + reason});
    return result;
  }
  return parse(text, path);
}

LoadResult parse(std::string_view text, const std::string& name) {
  LoadResult result;
  if (const int line = line_of_bare_non_ascii(text); line != 0) {
    const char* const what = "not TOML: a character that is not ASCII stands outside of quotes";
    result.errors.push_back({name, line, "", what});
    return result;
  }
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    result.errors.push_back(
        {name, line_of(error.source()), "", "not TOML: " + std::string(error.description())});
    return result;
  }
  Reader(name, result).read(parsed.table());
  return result;
}

void add_listener(Config& config, std::string_view url) {
  ListenerConfig& listener = config.listeners.emplace_back();
  listener.url = url;
  listener.allow_anonymous = config.allow_anonymous;
  listener.tls = config.tls;
}

std::optional<ConfigError> apply_setting(Config& config, std::string_view setting) {
  const auto equals = setting.find('=');
  const std::string name(setting.substr(0, equals));
  const auto error = [&name](std::string text) {
    return ConfigError{"--set", 0, name, std::move(text)};
  };
  if (equals == std::string_view::npos) return error("has no value; write --set KEY=VALUE");
  const Key* key = find_key(name);
  if (key == nullptr) return error(unknown_key_text(name));
  if (list_of(*key) != nullptr) return error(mend_of_list_key(*key));
  const Value value = value_of(*key, setting.substr(equals + 1));
  if (auto text = assign(config, *key, value)) return error(std::move(*text));
  if (const Key* inner = listener_key_of(*key)) {
    for (ListenerConfig& listener : config.listeners)
      assign_to(listener, *inner, value);
  }
  return std::nullopt;
}

}  // namespace linnet::config
