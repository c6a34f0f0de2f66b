#include "cli/complete.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>

#include "base/cat.hpp"
#include "bench/options.hpp"
#include "config/keys.hpp"

namespace linnet::cli {

namespace {

/// Goes over the words that are finished, and knows what the next one can be.
class Completer {
 public:
  explicit Completer(const CLI::App& app) { commands_.push_back(&app); }

  void read(std::string_view word);
  [[nodiscard]] std::vector<std::string> offer(std::string_view word);

 private:
  [[nodiscard]] const CLI::App& command() const noexcept { return *commands_.back(); }
  [[nodiscard]] const CLI::Option* find(std::string_view name) const;
  [[nodiscard]] const CLI::Option* positional() const;
  [[nodiscard]] bool enter(std::string_view name);
  [[nodiscard]] bool offer_value_behind_sign(std::string_view word);
  void offer_options(std::string_view word);
  void offer_commands(std::string_view word);
  void offer_values(const CLI::Option& option, std::string_view prefix, std::string_view word);
  void offer_settings(std::string_view prefix, std::string_view word);
  void add(std::string_view candidate, std::string_view typed, std::string_view text);

  std::vector<const CLI::App*> commands_;  // down to the innermost
  const CLI::Option* waiting_ = nullptr;   // for its value
  bool options_end_ = false;               // behind --
  std::size_t positionals_ = 0;            // of the innermost
  std::vector<std::string> lines_;
};

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

bool is_hidden(const CLI::Option& option) {
  return option.get_group().empty();
}

/// The names with their dashes, the longer one first.
std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_lnames())
    names.push_back("--" + name);
  for (const std::string& name : option.get_snames())
    names.push_back("-" + name);
  return names;
}

/// What its value is: "FILE". A validator's own words stand behind a colon.
std::string kind_of(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(true);
  const std::string type = option.get_type_name();
  return type.substr(0, type.find(':'));
}

void Completer::read(std::string_view word) {
  if (waiting_ != nullptr) {
    waiting_ = nullptr;
  } else if (!options_end_ && word == "--") {
    options_end_ = true;
  } else if (!options_end_ && word.size() > 1 && word.front() == '-') {
    const CLI::Option* const option = find(word);
    if (option != nullptr && takes_value(*option)) waiting_ = option;
  } else if (options_end_ || !enter(word)) {
    ++positionals_;
  }
}

const CLI::Option* Completer::find(std::string_view name) const {
  for (auto command = commands_.rbegin(); command != commands_.rend(); ++command) {
    for (const CLI::Option* const option : (*command)->get_options()) {
      for (const std::string& one : names_of(*option)) {
        if (one == name) return option;
      }
    }
  }
  return nullptr;
}

/// The one whose turn it is; the last one may stand several times.
const CLI::Option* Completer::positional() const {
  const CLI::Option* last = nullptr;
  std::size_t left = positionals_;
  for (const CLI::Option* const option : command().get_options()) {
    if (!option->get_positional()) continue;
    last = option;
    if (left == 0) return option;
    --left;
  }
  const bool repeats = last != nullptr && last->get_items_expected_max() > 1;
  return repeats ? last : nullptr;
}

bool Completer::enter(std::string_view name) {
  for (const CLI::App* const one :
       command().get_subcommands([](const CLI::App*) { return true; })) {
    if (one->get_name() != name) continue;
    commands_.push_back(one);
    positionals_ = 0;
    return true;
  }
  return false;
}

std::vector<std::string> Completer::offer(std::string_view word) {
  lines_.clear();
  if (waiting_ != nullptr) {
    offer_values(*waiting_, "", word);
  } else if (!options_end_ && word.starts_with('-')) {
    if (!offer_value_behind_sign(word)) offer_options(word);
  } else {
    if (!options_end_) offer_commands(word);
    if (const CLI::Option* const option = positional()) offer_values(*option, "", word);
    if (lines_.empty() && !options_end_ && word.empty()) offer_options(word);
  }
  return std::move(lines_);
}

/// --option=value
bool Completer::offer_value_behind_sign(std::string_view word) {
  const auto sign = word.find('=');
  if (sign == std::string_view::npos) return false;
  const CLI::Option* const option = find(word.substr(0, sign));
  if (option != nullptr && takes_value(*option)) {
    offer_values(*option, word.substr(0, sign + 1), word.substr(sign + 1));
  }
  return true;
}

void Completer::offer_options(std::string_view word) {
  for (auto command = commands_.rbegin(); command != commands_.rend(); ++command) {
    const bool inherited = command != commands_.rbegin();
    // The options of the commands in front may stand here only where a command says so.
    if (inherited && !command[-1]->get_fallthrough()) break;
    for (const CLI::Option* const option : (*command)->get_options()) {
      if (is_hidden(*option) || !option->nonpositional()) continue;
      for (const std::string& name : names_of(*option)) {
        if (name.size() > 2 || option->get_lnames().empty())
          add(name, word, option->get_description());
      }
    }
  }
}

void Completer::offer_commands(std::string_view word) {
  if (positionals_ > 0) return;
  for (const CLI::App* const one :
       command().get_subcommands([](const CLI::App*) { return true; })) {
    if (!one->get_group().empty()) add(one->get_name(), word, one->get_description());
  }
}

void Completer::offer_values(const CLI::Option& option, std::string_view prefix,
                             std::string_view word) {
  const std::string kind = kind_of(option);
  const auto offer_each = [&](std::string_view list, std::string_view separator) {
    while (!list.empty()) {
      const auto end = std::min(list.find(separator), list.size());
      add(cat(prefix, list.substr(0, end)), cat(prefix, word), "");
      list.remove_prefix(std::min(end + separator.size(), list.size()));
    }
  };
  if (kind == "KEY=VALUE") return offer_settings(prefix, word);
  if (kind == "QOS") return offer_each("0,1,2", ",");
  if (kind == "SCENARIO") return offer_each(bench::scenario_names(), ", ");
  if (kind.size() > 2 && kind.front() == '{') {
    return offer_each(std::string_view(kind).substr(1, kind.size() - 2), ",");
  }
  if (kind == "DIR") {
    lines_.emplace_back(":folders");
  } else if (kind == "FILE" || kind == "PATH" || kind == "BASENAME") {
    lines_.emplace_back(":files");
  }
}

/// Keys that --set knows, and behind the sign the values that they can have.
void Completer::offer_settings(std::string_view prefix, std::string_view word) {
  const auto sign = word.find('=');
  const std::string typed = cat(prefix, word);
  for (const config::Key& key : config::all_keys()) {
    if (config::list_of(key) != nullptr) continue;
    if (sign == std::string_view::npos) {
      add(cat(prefix, key.name, '='), typed, key.meaning);
      continue;
    }
    if (key.name != word.substr(0, sign)) continue;
    for (const std::string_view choice : key.choices)
      add(cat(prefix, key.name, '=', choice), typed, "");
    if (key.type != config::KeyType::boolean) continue;
    for (const char* const choice : {"true", "false"})
      add(cat(prefix, key.name, '=', choice), typed, "");
  }
}

void Completer::add(std::string_view candidate, std::string_view typed, std::string_view text) {
  if (!candidate.starts_with(typed)) return;
  std::string line(candidate);
  if (!text.empty()) {
    line += '\t';
    for (const char one : text) {
      if (one != '`') line += one == '\t' || one == '\n' ? ' ' : one;
    }
  }
  lines_.push_back(std::move(line));
}

}  // namespace

std::vector<std::string> complete(const CLI::App& app, std::span<const std::string> words) {
  if (words.empty()) return {};
  Completer completer(app);
  for (const std::string& word : words.first(words.size() - 1))
    completer.read(word);
  return completer.offer(words.back());
}

}  // namespace linnet::cli
