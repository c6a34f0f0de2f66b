// Files of an authority: read whole, written atomically, locked by their folder. Any thread. Errors
// are texts that name the file; empty: there is none.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/file_descriptor.hpp"
#include "tls/authority_secret.hpp"

namespace linnet::tls {

inline constexpr std::size_t kOwnFileBytesMax = 4 << 20;

/// Keeps other processes out of a folder that they lock, too, until its end.
class FolderLock {
 public:
  /// Waits for its turn. Where the file system knows no locks it goes on without one.
  [[nodiscard]] std::string take(const std::string& folder);

 private:
  net::FileDescriptor folder_;
};

/// "." for a bare name.
[[nodiscard]] std::string folder_of(const std::string& path);

/// Makes a folder and those above it.
[[nodiscard]] std::string make_folder(const std::string& folder);

[[nodiscard]] bool exists(const std::string& path);

/// `text` gets the whole file, which has to be a regular one.
[[nodiscard]] std::string read_file(const std::string& path, Secret& text);

struct NewFile {
  std::string path;
  std::string_view text;
  bool secret = false;
};

/// Writes all, in their order, or none. Without `replace` a file that exists is an error; with it,
/// what is no regular file is one, and a symbolic link stays and its target is replaced. All that
/// is likely to fail is done before the first rename; but if a later one fails, or the machine
/// does between two, files before it stay replaced.
[[nodiscard]] std::string write_files(std::span<const NewFile> files, bool replace);

/// The error for a file that exists.
[[nodiscard]] std::string exists_text(const std::string& path);

}  // namespace linnet::tls
