// What may come next on a command line that is being typed: the hidden command `linnet complete --
// WORD...`, whose last word is the unfinished one. The shells' own scripts in packaging/completion
// ask for it at each Tab, so they know every option that the binary has.
//
//   $ linnet complete -- run --da
//   --data-dir	Keep everything in this folder
//
// A line is a word and, behind a tab, what it means; ":files" and ":folders" instead ask the shell
// for names of its own.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace linnet::cli {

/// The lines; none if nothing can come there.
[[nodiscard]] std::vector<std::string> complete(const CLI::App& app,
                                                std::span<const std::string> words);

}  // namespace linnet::cli
