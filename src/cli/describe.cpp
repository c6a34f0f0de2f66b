#include "cli/describe.hpp"

#include <string>
#include <string_view>
#include <vector>

#include "cli/complete.hpp"
#include "cli/manual.hpp"
#include "cli/options.hpp"

namespace linnet::cli {

namespace {

int print_completions(const CLI::App& app, std::vector<std::string> words) {
  if (!words.empty() && words.front() == "--") words.erase(words.begin());
  for (const std::string& line : complete(app, words))
    print_line(line);
  return kOk;
}

int print_manual(const CLI::App& app, const std::vector<std::string>& words) {
  const std::string part = words.size() == 1 ? words.front() : "";
  std::string text;
  if (part == "commands") text = manual_of_commands(app);
  if (part == "keys") text = manual_of_keys();
  if (text.empty()) {
    print_error("linnet manual: commands or keys");
    return kWrongUsage;
  }
  text.pop_back();
  print_line(text);
  return kOk;
}

}  // namespace

std::optional<int> describe(const CLI::App& app, int argc, const char* const* argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command != "complete" && command != "manual") return std::nullopt;
  std::vector<std::string> words(argv + 2, argv + argc);
  if (command == "complete") return print_completions(app, std::move(words));
  return print_manual(app, words);
}

}  // namespace linnet::cli
