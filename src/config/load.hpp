// From a TOML file, its text or a --set to a Config. All errors of a file are reported, not just
// the first, each with its place and what would be right. Start-up only, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <linnet/config.hpp>

namespace linnet::config {

struct ConfigError {
  std::string file;
  int line = 0;     // from 1; 0 where there is none
  std::string key;  // with its section; may be empty
  std::string text;
};

/// `linnet.toml:12: limits.packet_size_maxx: unknown key; did you mean packet_size_max?`
[[nodiscard]] std::string to_string(const ConfigError& error);

struct LoadResult {
  Config config;                    // complete only if ok()
  std::vector<ConfigError> errors;  // in the order of their lines
  std::vector<int> listener_lines;  // where each of config.listeners begins
  [[nodiscard]] bool ok() const noexcept { return errors.empty(); }
};

/// Reads a file. A file that cannot be read is an error without a line.
[[nodiscard]] LoadResult load(const std::string& path);

/// Reads the text of a file that is called `name` in errors.
///
///   const LoadResult result = parse("threads = 2", "linnet.toml");
[[nodiscard]] LoadResult parse(std::string_view text, const std::string& name);

/// Applies one KEY=VALUE of the command line; texts need no quotes, and commas separate the texts
/// of a list. Keys of lists ([[listener]], [[share]]) cannot be set so. What listeners begin with
/// (allow_anonymous, tls.cert, ...) also changes every listener there is.
[[nodiscard]] std::optional<ConfigError> apply_setting(Config& config, std::string_view setting);

/// Adds a listener that begins with what stands at the top and in [tls].
void add_listener(Config& config, std::string_view url);

}  // namespace linnet::config
