#include "cli/system_user.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <grp.h>
#include <linux/capability.h>
#include <memory>
#include <optional>
#include <pwd.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "auth/decoy_secret.hpp"
#include "base/cat.hpp"
#include "base/log.hpp"
#include "control/control.hpp"
#include "net/file_descriptor.hpp"
#include "net/url.hpp"
#include "store/data_dir.hpp"

namespace linnet::cli {
namespace {

constexpr mode_t kDirectoryMode = 0750;
constexpr mode_t kOthersMayWrite = 022;

std::optional<uid_t> number_of(const std::string& text) noexcept {
  uid_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return number;
}

/// What lies in a folder; nothing if it can't be read.
std::optional<std::vector<std::string>> names_in(int directory) {
  net::FileDescriptor own(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return std::nullopt;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(fdopendir(own.get()), closedir);
  if (!listing) return std::nullopt;
  (void)own.release();  // it is the listing's
  std::vector<std::string> names;
  for (const dirent* entry = readdir(listing.get()); entry != nullptr;
       entry = readdir(listing.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

/// Something that Linnet would have made: another folder, named by mistake, stays root's.
bool is_ours(const std::string& name) {
  return name == store::kLockFile || name == store::kLmdbLockFile || name == control::kSocketName ||
         name.starts_with(auth::kDecoyFile) || name.starts_with(store::kDataFile);
}

/// A folder that only root could write to: so no name in it leads anywhere else by a trick.
bool belongs_to_root_alone(int directory) noexcept {
  struct stat found {};
  return fstat(directory, &found) == 0 && found.st_uid == 0 &&
         (found.st_mode & kOthersMayWrite) == 0;
}

/// The file itself, and not what has its name by then. False if the system refuses.
bool give_file(int directory, const std::string& name, uid_t user, gid_t group) noexcept {
  const net::FileDescriptor file(openat(directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat found {};
  if (!file || fstat(file.get(), &found) != 0) return true;
  if (!S_ISREG(found.st_mode) || found.st_uid != 0 || found.st_nlink != 1) return true;
  return fchownat(file.get(), "", user, group, AT_EMPTY_PATH) == 0;
}

void give(const std::string& path, uid_t user, gid_t group) {
  const net::FileDescriptor directory(
      open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory || !belongs_to_root_alone(directory.get())) return;
  const auto names = names_in(directory.get());
  if (!names || !std::all_of(names->begin(), names->end(), is_ours)) return;
  for (const std::string& name : *names) {
    if (!give_file(directory.get(), name, user, group)) return;
  }
  if (fchown(directory.get(), user, group) == 0) {
    log::info("cli", cat("the data directory ", path, " now belongs to user ", user));
  }
}

/// Clears what setresuid() leaves: the set that an exec could inherit. True if nothing is left.
bool drop_capabilities() noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (syscall(SYS_capset, &header, sets.data()) != 0) return false;
  if (syscall(SYS_capget, &header, sets.data()) != 0) return false;
  return std::all_of(sets.begin(), sets.end(), [](const __user_cap_data_struct& set) {
    return (set.effective | set.permitted | set.inheritable) == 0;
  });
}

}  // namespace

bool SystemUser::find(const std::string& name, std::string& error) {
  if (name.empty()) return true;
  name_ = name;
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16'384> room;
  if (const auto number = number_of(name)) {
    getpwuid_r(*number, &entry, room.data(), room.size(), &found);
  } else {
    getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
  }
  if (found == nullptr) {
    error = cat("user = \"", name, "\": this machine has no such user; make it (useradd --system ",
                "--user-group --shell /usr/sbin/nologin ", number_of(name) ? "linnet" : name,
                "), or write another one");
    return false;
  }
  name_ = found->pw_name;
  user_ = found->pw_uid;
  group_ = found->pw_gid;
  if (geteuid() != 0 && geteuid() != user_) {
    error = cat("user = \"", name, "\": this process runs as user ", geteuid(),
                " and can't become another one; start it as root or as ", name_,
                ", or leave out the key");
    return false;
  }
  changes_ = geteuid() == 0 && user_ != 0;
  return true;
}

void SystemUser::own_sockets(Config& config) const {
  if (!changes_) return;
  for (ListenerConfig& listener : config.listeners) {
    const auto url = net::parse_url(listener.url);
    if (!url || url->scheme != net::Scheme::unix_socket) continue;
    if (listener.owner.empty()) listener.owner = cat(user_);
    if (listener.group.empty()) listener.group = cat(group_);
  }
}

void SystemUser::prepare(Config& config) const {
  own_sockets(config);
  if (!changes_ || !config.persistence) return;
  const std::string path =
      config.data_dir.empty() ? store::default_data_dirs().front() : config.data_dir;
  std::error_code code;
  const auto parent = std::filesystem::absolute(path, code).parent_path();
  std::filesystem::create_directories(parent, code);
  mkdir(path.c_str(), kDirectoryMode);  // what is there already is looked at below
  give(path, user_, group_);
}

bool SystemUser::become(std::string& error) const {
  if (!changes_) return true;
  const auto fail = [&](const char* what) {
    error = cat("user = \"", name_, "\": ", what, ": ", std::generic_category().message(errno),
                "; start Linnet as this user, or leave out the key");
    return false;
  };
  if (initgroups(name_.c_str(), group_) != 0) return fail("its groups can't be set");
  if (setresgid(group_, group_, group_) != 0) return fail("its group can't be set");
  if (setresuid(user_, user_, user_) != 0) return fail("it can't be become");
  if (!drop_capabilities()) return fail("capabilities are left");
  // Nor by a program that runs as its owner does, like su.
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail("programs could still regain rights");
  if (setresuid(0, 0, 0) == 0 || seteuid(0) == 0 || getuid() != user_ || geteuid() != user_ ||
      getgid() != group_ || getegid() != group_) {
    errno = EPERM;
    return fail("the rights of root are still there");
  }
  log::info("cli", cat("the process is now user ", name_, " (", user_, ')'));
  return true;
}

}  // namespace linnet::cli
