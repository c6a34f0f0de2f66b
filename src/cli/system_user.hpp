// Whom the process becomes after a start as root: the configuration's `user`. Ports and private
// keys need rights that serving does not; what the network can reach should not have them.
//
//   SystemUser user;
//   if (!user.find(config.user, error)) return fail(error);
//   user.prepare(config);             // as root: the data directory, the files of Unix sockets
//   ...                               // bind, read keys
//   if (!user.become(error)) ...      // for good; before the store's files are opened
//
// For the start of the program, from its main thread.
#pragma once

#include <string>
#include <sys/types.h>

#include <linnet/config.hpp>

namespace linnet::cli {

class SystemUser {
 public:
  /// Looks it up, by name or number; an empty name means to stay who we are. False if this machine
  /// does not know it, or if we are neither root nor this user; `error` then says so.
  [[nodiscard]] bool find(const std::string& name, std::string& error);

  /// While we are root: makes the data directory where it is missing and gives it to the user, and
  /// one that root has used so far, too. The files of Unix sockets that have no owner of their own
  /// get the user. What it can't do, the store will complain about.
  void prepare(Config& config) const;

  /// The last of that alone: at any time.
  void own_sockets(Config& config) const;

  /// User, group and groups, and no capability, in all threads; there is no way back. False if the
  /// system refuses: the process must end then.
  [[nodiscard]] bool become(std::string& error) const;

 private:
  std::string name_;
  uid_t user_ = 0;
  gid_t group_ = 0;
  bool changes_ = false;  // we are root, and the user is another one
};

}  // namespace linnet::cli
