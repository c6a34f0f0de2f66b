#include "auth/unix_users.hpp"

#include <algorithm>
#include <charconv>
#include <grp.h>
#include <limits>
#include <pwd.h>

#include "base/cat.hpp"

namespace linnet::auth {
namespace {

enum class Lookup : std::uint8_t { found, unknown, failed };

/// A user or group by its number; all bits set is the system's word for "no change".
template <class Id>
Lookup from_number(std::string_view text, Id& id) {
  Id value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return Lookup::unknown;
  if (value == std::numeric_limits<Id>::max()) return Lookup::unknown;
  id = value;
  return Lookup::found;
}

/// Calls one of the getXXnam_r() with as much room as it asks for, within reason.
template <class Entry, class Call>
Lookup ask_system(Entry& entry, Call call, std::vector<char>& room) {
  constexpr std::size_t kRoomMax = 1 << 20;
  for (room.resize(1 << 12); room.size() <= kRoomMax; room.resize(room.size() * 4)) {
    Entry* found = nullptr;
    const int code = call(&entry, room.data(), room.size(), &found);
    if (code == 0) return found != nullptr ? Lookup::found : Lookup::unknown;
    if (code != ERANGE) return code == ENOENT ? Lookup::unknown : Lookup::failed;
  }
  return Lookup::failed;
}

Lookup find_uid(const std::string& name, std::optional<uid_t>& uid) {
  uid_t id = 0;
  if (from_number(name, id) == Lookup::found) {
    uid = id;
    return Lookup::found;
  }
  passwd entry{};
  std::vector<char> room;
  const auto call = [&](passwd* into, char* data, std::size_t size, passwd** found) {
    return ::getpwnam_r(name.c_str(), into, data, size, found);
  };
  const Lookup result = ask_system(entry, call, room);
  if (result == Lookup::found) uid = entry.pw_uid;
  return result;
}

Lookup find_gid(const std::string& name, std::optional<gid_t>& gid) {
  gid_t id = 0;
  if (from_number(name, id) == Lookup::found) {
    gid = id;
    return Lookup::found;
  }
  group entry{};
  std::vector<char> room;
  const auto call = [&](group* into, char* data, std::size_t size, group** found) {
    return ::getgrnam_r(name.c_str(), into, data, size, found);
  };
  const Lookup result = ask_system(entry, call, room);
  if (result == Lookup::found) gid = entry.gr_gid;
  return result;
}

std::string fault_text(Lookup lookup, std::string_view key, std::string_view name) {
  const std::string_view what = key == "uid" ? "user" : "group";
  if (lookup == Lookup::failed) {
    return cat("auth.unix.", key, ": the system could not be asked for the ", what, " \"", name,
               "\"; give its number instead");
  }
  return cat("auth.unix.", key, ": the system has no ", what, " \"", name,
             "\"; give the name or the number of one");
}

}  // namespace

std::optional<UnixUsers> UnixUsers::resolve(const std::vector<UnixUserConfig>& entries,
                                            std::vector<std::string>& errors) {
  UnixUsers users;
  bool ok = true;
  const auto check = [&](Lookup lookup, std::string_view key, const std::string& name) {
    if (lookup == Lookup::found) return;
    errors.push_back(fault_text(lookup, key, name));
    ok = false;
  };
  for (const UnixUserConfig& from : entries) {
    Entry entry{{}, {}, from.user};
    if (!from.uid.empty()) check(find_uid(from.uid, entry.uid), "uid", from.uid);
    if (!from.gid.empty()) check(find_gid(from.gid, entry.gid), "gid", from.gid);
    users.entries_.push_back(std::move(entry));
  }
  if (!ok) return std::nullopt;
  return users;
}

std::string_view UnixUsers::find(const net::PeerProcess& process) const noexcept {
  const auto is_in = [&](gid_t gid) {
    return gid == process.gid ||
           std::find(process.groups.begin(), process.groups.end(), gid) != process.groups.end();
  };
  const auto fits = [&](const Entry& entry) {
    // An entry without either would be about every process: the configuration refuses it.
    return (entry.uid || entry.gid) && (!entry.uid || *entry.uid == process.uid) &&
           (!entry.gid || is_in(*entry.gid));
  };
  const auto found = std::find_if(entries_.begin(), entries_.end(), fits);
  return found != entries_.end() ? std::string_view(found->user) : std::string_view();
}

}  // namespace linnet::auth
