// The data directory: where it is, that only one process uses it, and whether the last one to use
// it closed it in order. The proof of both is the file linnet.lock: held by flock(2) for as long as
// a DataDir lives, with one line that says
//
//   MARK PID START        "closed 4711 2026-03-01T12:00:00Z", the mark being `open` or `closed`
//
// `closed` is written last of all, and synced: a missing, empty or torn file means `open`.
//
//   DataDirProblem problem;
//   auto directory = DataDir::open(config.data_dir, DataDir::Use::serve, problem);
//   if (!directory) return fail(problem.text);
//   ...                                      // open_checked(..., directory->clean(), ...)
//   directory->close_in_order();             // once the store is closed
//
// Any thread, one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace linnet::store {

inline constexpr const char* kLockFile = "linnet.lock";
inline constexpr const char* kDataFile = "data.mdb";
inline constexpr const char* kLmdbLockFile = "lock.mdb";

struct DataDirProblem {
  bool held = false;  // another process uses the directory
  std::string text;   // one line: what, where, and the mend
  std::string path;   // of the directory, if one was chosen
};

class DataDir {
 public:
  enum class Use : std::uint8_t {
    serve,       // makes the directory where it is missing, and marks it as open
    administer,  // of a stopped broker: needs a directory that is there, and keeps the mark
  };

  /// `configured` is used as it is; if it is empty, the first of default_data_dirs() that can be
  /// used (to administer: that holds a store). Nullopt if none can, or if it is held.
  [[nodiscard]] static std::optional<DataDir> open(const std::string& configured, Use use,
                                                   DataDirProblem& problem);
  /// A private directory for a broker that keeps nothing, in the first of $TMPDIR, /dev/shm, /run
  /// and /tmp that can be written. It goes with this object.
  [[nodiscard]] static std::optional<DataDir> make_temporary(DataDirProblem& problem);

  DataDir(DataDir&& other) noexcept;
  DataDir& operator=(DataDir&& other) noexcept;
  ~DataDir();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Whether whoever used it last closed it in order, or it is new.
  [[nodiscard]] bool clean() const noexcept { return clean_; }
  [[nodiscard]] bool temporary() const noexcept { return temporary_; }

  /// Writes the mark; call it when everything in the directory is synced and closed. False if that
  /// failed: the next start then checks the store.
  bool close_in_order() noexcept;
  /// What root has made here goes to the owner of the data file, who could not open it otherwise.
  void leave_to_owner() const noexcept;
  /// Of a temporary directory: takes away its files and itself. What is open stays usable until it
  /// is closed, and a process that is killed leaves nothing behind.
  void unlink_files() noexcept;

 private:
  DataDir() = default;
  void release() noexcept;

  std::string path_;
  int lock_ = -1;  // the descriptor that holds the lock
  bool clean_ = false;
  bool temporary_ = false;
  bool removed_ = false;  // unlink_files() has been called
};

/// Where data is kept when the configuration says nothing, the best place first: /var/lib/linnet,
/// then $XDG_STATE_HOME/linnet or else $HOME/.local/state/linnet.
[[nodiscard]] std::vector<std::string> default_data_dirs();

}  // namespace linnet::store
