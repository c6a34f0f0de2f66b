#include "cli/passwd.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <vector>

#include <boost/json.hpp>

#include "auth/password_edit.hpp"
#include "auth/password_file.hpp"
#include "base/cat.hpp"
#include "base/log.hpp"
#include "cli/ask_password.hpp"
#include "cli/options.hpp"
#include "tls/authority_files.hpp"

namespace linnet::cli {
namespace {

namespace json = boost::json;

/// Why the command ends with something else than kOk.
struct Fault {
  int code = kFailed;
  std::string text;
};

void warn(const std::string& text) {
  print_error("linnet: warning: " + log::escaped_text(text));
}

/// One line for people or for scripts: what was done.
void report(const PasswdOptions& options, const std::string& text, const json::object& facts) {
  if (!options.json) return print_line(log::escaped_text(text));
  json::object line{{"ok", true}, {"file", log::escaped_text(options.file)}};
  if (!options.user.empty()) line["user"] = log::escaped_text(options.user);
  for (const auto& [key, value] : facts)
    line[key] = value;
  print_line(std::string(json::serialize(line)));
}

int give_up(const PasswdOptions& options, const Fault& fault) {
  print_error("linnet: " + log::escaped_text(fault.text));
  if (options.json) {
    const json::object line{{"ok", false}, {"error", log::escaped_text(fault.text)}};
    print_line(std::string(json::serialize(line)));
  }
  return fault.code;
}

auth::HashParameters parameters_of(const PasswdOptions& options) {
  auth::HashParameters parameters;
  if (options.kind == "argon2id") parameters.kind = auth::HashKind::argon2id;
  if (options.kind == "scram") parameters.kind = auth::HashKind::scram;
  parameters.iterations = options.iterations;
  return parameters;
}

/// Options that do not go together.
std::string_view mode_fault(const PasswdOptions& options) {
  const int actions =
      int{options.remove} + int{options.check} + int{options.upgrade} + int{options.create};
  if (actions > 1) return "--delete, --check, --upgrade and --create exclude each other";
  if (options.force && !options.create) return "--force goes with --create";
  if (options.batch && options.from_stdin) return "--batch and --stdin exclude each other";
  const bool takes_password = !options.remove && !options.upgrade;
  if (!takes_password && (options.batch || options.from_stdin)) {
    return "--delete and --upgrade take no password; --batch and --stdin give one";
  }
  const bool makes_hash = !options.remove && !options.check;
  if (!makes_hash && (!options.kind.empty() || options.iterations != 0)) {
    return "--delete and --check make no hash; --kind and --iterations are about new ones";
  }
  return {};
}

std::string usage_fault(const PasswdOptions& options) {
  if (const auto fault = mode_fault(options); !fault.empty()) return std::string(fault);
  if (options.upgrade) {
    if (!options.user.empty()) return "--upgrade is about all users of a file; name none";
  } else if (const auto fault = auth::file_user_fault(options.user); !fault.empty()) {
    return options.user.empty() ? "a user name is missing: linnet passwd FILE USER"
                                : cat("the user name ", fault);
  }
  if (options.batch && options.password.empty()) {
    return "the password is missing: linnet passwd --batch FILE USER PASSWORD";
  }
  if (!options.batch && !options.password.empty()) {
    return "a password on the command line needs --batch; without, it is asked for";
  }
  if (options.password.size() > kPasswordBytesMax) {
    return cat("the password is longer than ", kPasswordBytesMax, " bytes, the most that MQTT has");
  }
  const auth::HashParameters parameters = parameters_of(options);
  const auth::IterationRange range = auth::iteration_range(parameters.kind);
  const std::uint32_t count = parameters.iterations;
  if (count == 0 || (count >= range.least && count <= range.most)) return {};
  return cat("--iterations ", count, " is not between ", range.least, " and ", range.most,
             ", which are allowed for this kind");
}

std::optional<auth::Secret> password_for(const PasswdOptions& options, std::string& error) {
  if (options.batch) {
    warn(
        "other users of this machine can see a password on the command line; without --batch it "
        "is asked for");
    return auth::Secret(std::string_view(options.password));
  }
  const bool twice = !options.check && !options.from_stdin;
  return ask_password(cat("Password of ", log::escaped_text(options.user)), twice, error);
}

/// A file that is changed, from its lock to its end.
class Target {
 public:
  /// Follows a symbolic link, so that who changes the file behind it takes the same lock.
  [[nodiscard]] std::string resolve(const std::string& path) {
    path_ = path;
    if (!std::filesystem::is_symlink(path)) return {};
    std::error_code failed;
    path_ = std::filesystem::canonical(path, failed).string();
    if (!failed) return {};
    return cat(path, " is a symbolic link to nowhere: ", failed.message());
  }
  [[nodiscard]] bool exists() const { return tls::exists(path_); }
  [[nodiscard]] std::string exists_text() const { return tls::exists_text(path_); }
  [[nodiscard]] std::string lock() { return lock_.take(tls::folder_of(path_)); }
  /// An empty text if there is no file yet.
  [[nodiscard]] std::string read() {
    if (!exists()) return {};
    std::string error;
    auto text = auth::read_password_text(path_, error);
    if (text) old_ = std::move(*text);
    return error;
  }
  [[nodiscard]] std::string_view text() const noexcept { return old_.text.view(); }
  /// Warns of what is wrong with the file and not this command's to mend.
  [[nodiscard]] std::string write(std::string_view text) {
    if (text.size() > auth::kPasswordFileBytesMax) {
      return cat(path_, " would be larger than ", auth::kPasswordFileBytesMax >> 20, " MiB");
    }
    // Nobody gets to read a file who could not before.
    const tls::NewFile file{path_, text, !old_.others_may_read()};
    if (std::string error = tls::write_files({&file, 1}, exists()); !error.empty()) return error;
    if (old_.others_may_read()) {
      warn(cat(path_, " may be read by every user of this machine; mend it with chmod o-r"));
    }
    std::vector<std::string> faults;
    if (!auth::PasswordFile::parse(text, path_, faults)) {
      for (const std::string& fault : faults)
        warn(cat("the broker will refuse this file: ", fault));
    }
    return {};
  }

 private:
  std::string path_;
  tls::FolderLock lock_;
  auth::PasswordText old_;
};

std::optional<Fault> set_password(const PasswdOptions& options, Target& target) {
  if (options.create && !options.force && target.exists()) {
    return Fault{kFailed, target.exists_text()};
  }
  std::string error;
  const auto password = password_for(options, error);
  if (!password) return Fault{kFailed, error};
  const auth::HashParameters parameters = parameters_of(options);
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  const std::string_view text = password->view();
  if (parameters.kind == auth::HashKind::scram &&
      !std::all_of(text.begin(), text.end(), is_ascii)) {
    warn(
        "the password is not plain ASCII: a client that writes it in another form of Unicode will "
        "not get in");
  }
  // Before the lock, since it takes its time.
  const std::string hash = auth::make_password_hash(text, parameters);
  if (error = target.lock(); !error.empty()) return Fault{kFailed, error};
  const bool is_new = !target.exists();
  if (options.create && !options.force && !is_new) return Fault{kFailed, target.exists_text()};
  if (!options.create) error = target.read();
  if (!error.empty()) return Fault{kFailed, error};
  const auth::PasswordEdit edit = auth::with_user(target.text(), options.user, hash);
  if (error = target.write(edit.text.view()); !error.empty()) return Fault{kFailed, error};
  const bool replaced = edit.changed > 0;
  report(options,
         replaced ? cat(options.file, ": ", options.user, " has a new password")
                  : cat(options.file, ": ", options.user, " is in it now"),
         {{"action", "set"},
          {"created", is_new},
          {"replaced", replaced},
          {"kind", options.kind.empty() ? "pbkdf2" : options.kind}});
  return std::nullopt;
}

std::optional<Fault> delete_user(const PasswdOptions& options, Target& target) {
  std::string error = target.lock();
  if (error.empty()) error = target.read();
  if (!error.empty()) return Fault{kFailed, error};
  const auth::PasswordEdit edit = auth::without_user(target.text(), options.user);
  if (edit.changed == 0) {
    return Fault{kFailed, cat(options.file, " has no user ", options.user)};
  }
  if (error = target.write(edit.text.view()); !error.empty()) return Fault{kFailed, error};
  report(options, cat(options.file, ": ", options.user, " is no longer in it"),
         {{"action", "delete"}});
  return std::nullopt;
}

std::optional<Fault> upgrade(const PasswdOptions& options, Target& target) {
  std::string error = target.lock();
  if (error.empty()) error = target.exists() ? target.read() : cat(options.file, " is not there");
  if (!error.empty()) return Fault{kFailed, error};
  const auth::HashParameters parameters = parameters_of(options);
  const auth::PasswordEdit edit = auth::with_hashes(
      target.text(), [&](std::string_view text) { return make_password_hash(text, parameters); });
  if (!edit.error.empty()) return Fault{kFailed, cat(options.file, ':', edit.error)};
  // Two lines of one user have to be mended while their passwords can still be read.
  std::vector<std::string> faults;
  if (!auth::PasswordFile::parse(edit.text.view(), options.file, faults)) {
    return Fault{kFailed, faults.front()};
  }
  if (edit.changed > 0) error = target.write(edit.text.view());
  if (!error.empty()) return Fault{kFailed, error};
  report(options,
         cat(options.file, ": ", edit.changed, " passwords hashed, ", edit.kept, " had a hash"),
         {{"action", "upgrade"}, {"hashed", edit.changed}, {"kept", edit.kept}});
  return std::nullopt;
}

std::optional<Fault> check(const PasswdOptions& options) {
  std::string error;
  const auto text = auth::read_password_text(options.file, error);
  if (!text) return Fault{kWrongUsage, error};
  std::vector<std::string> faults;
  const auto file = auth::PasswordFile::parse(text->text.view(), options.file, faults);
  if (!file) return Fault{kWrongUsage, faults.front()};
  const auto password = password_for(options, error);
  if (!password) return Fault{kWrongUsage, error};
  const auth::PasswordHash* hash = file->find(options.user);
  if (hash == nullptr) return Fault{kFailed, cat(options.file, " has no user ", options.user)};
  if (!auth::verify(*hash, password->view())) {
    return Fault{kFailed, cat("this is not the password of ", options.user)};
  }
  report(options, cat("this is the password of ", options.user), {{"action", "check"}});
  return std::nullopt;
}

std::optional<Fault> act(const PasswdOptions& options) {
  if (std::string text = usage_fault(options); !text.empty()) return Fault{kWrongUsage, text};
  if (options.check) return check(options);
  Target target;
  if (std::string text = target.resolve(options.file); !text.empty()) return Fault{kFailed, text};
  if (options.remove) return delete_user(options, target);
  if (options.upgrade) return upgrade(options, target);
  return set_password(options, target);
}

}  // namespace

int passwd(const PasswdOptions& options) {
  try {
    const auto fault = act(options);
    return fault ? give_up(options, *fault) : kOk;
  } catch (const std::runtime_error& failed) {
    return give_up(options, {kFailed, failed.what()});
  }
}

}  // namespace linnet::cli
