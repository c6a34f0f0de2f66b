// The commands of the binary, one file each, and what the command line gives them. Each returns the
// exit code: 0 orderly end, 1 failed at run time, 2 wrong usage or configuration.
#pragma once

#include <string>
#include <vector>

namespace linnet::cli {

inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;

struct RunOptions {
  std::string config_path;               // empty: no file
  std::vector<std::string> listen_urls;  // instead of the file's listeners
  std::string data_dir;                  // empty: as the file says
  std::vector<std::string> settings;     // KEY=VALUE each
  bool allow_anonymous = false;
};

struct CheckOptions {
  std::string config_path;
  bool print_keys_markdown = false;  // prints the table of docs/configuration.md instead
};

struct StoreOptions {
  std::string action;       // stats, check, compact or backup
  std::string config_path;  // empty: no file
  std::string data_dir;     // empty: as the file says
  std::vector<std::string> settings;
  std::string target;  // of a backup: a folder
  bool json = false;
};

struct ReloadOptions {
  std::string config_path;  // empty: no file
  std::string data_dir;     // empty: as the file says
  std::vector<std::string> settings;
  bool json = false;
};

struct CertOptions {
  std::string action;              // ca, server, client, psk, revoke or show
  std::string dir = "certs";       // of the authority and all that it makes
  std::string name;                // the authority's, a client's, or a PSK identity; may be empty
  std::vector<std::string> names;  // of a server; empty: this machine's
  std::vector<std::string> files;  // to revoke or to show
  std::string out = "server";      // a server's files without their ending
  std::string psk_file = "certs/psk.txt";
  int days = 0;  // 0: as many as is usual
  bool rsa = false;
  bool force = false;
  bool json = false;
};

struct ExplainOptions {
  std::string action;  // publish, subscribe or receive
  std::string config_path;
  std::string user;  // empty: anonymous
  std::string client_id;
  std::string cert_cn;
  std::vector<std::string> groups;  // beside those of the configuration
  std::string topic;
  int qos = 0;
  bool retain = false;
  bool json = false;
};

/// Serves until a signal says to stop. Must be called from the main thread, before there are
/// others.
[[nodiscard]] int run(const RunOptions& options);

/// Prints "FILE: ok" on standard output, or every error on standard error.
[[nodiscard]] int check(const CheckOptions& options);

/// Does something with a store: through the broker that uses it, or by itself if none does. kFailed
/// also if a check has found damage.
[[nodiscard]] int store(const StoreOptions& options);

/// Makes and shows certificates and keys, see src/tls/authority.hpp.
[[nodiscard]] int cert(const CertOptions& options);

/// Says what the rules of a configuration say about a request, and why. kFailed: it is denied.
[[nodiscard]] int explain(const ExplainOptions& options);

/// Asks the broker that runs to read its configuration again. kFailed: it has changed nothing.
[[nodiscard]] int reload(const ReloadOptions& options);

/// "linnet 0.1.0 (GCC 12.2.0, RelWithDebInfo)".
[[nodiscard]] std::string version_text();

/// One line on standard output or standard error.
void print_line(const std::string& text);
void print_error(const std::string& text);

}  // namespace linnet::cli
