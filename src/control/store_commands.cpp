#include "control/store_commands.hpp"

#include <chrono>

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "store/data_dir.hpp"
#include "store/upkeep.hpp"

namespace linnet::control {
namespace {

namespace json = boost::json;

constexpr const char* kNotNow = "the store can't be used now: its disk fails";

json::object records_of(const std::array<std::uint64_t, store::kTables>& records) {
  json::object result;
  for (std::size_t i = 1; i < store::kTables; ++i) {
    const std::string_view name = store::name_of(static_cast<store::Table>(i));
    result[json::string_view(name.data(), name.size())] = records[i];
  }
  return result;
}

void add_figures(const store::StoreFigures& figures, json::object& reply) {
  reply["commits"] = figures.commits;
  reply["bytes_written"] = figures.bytes_written;
  reply["commit_us"] = figures.commit_us;
  reply["outgoing_saved"] = figures.outgoing_saved;
  reply["taken_back"] = figures.taken_back;
  reply["alarm"] = figures.alarm;
}

}  // namespace

std::string store_stats(const StoreDoor& door, json::object& reply) {
  store::StoreCounts counts;
  bool read = false;
  const bool ran =
      door.run([&](store::Database& database) { read = store::count_records(database, counts); });
  if (!ran || !read) return kNotNow;
  std::uint64_t sessions = 0;
  std::uint64_t outgoing = 0;
  door.database->load_sessions([&](const store::StoredSession& session) {
    ++sessions;
    outgoing += session.outgoing_messages;
  });
  reply["directory"] = door.directory;
  reply["running"] = static_cast<bool>(door.figures);
  reply["format"] = store::kFormat;
  reply["file_bytes"] = counts.space.file_bytes;
  reply["used_bytes"] = counts.space.used_bytes - counts.space.free_bytes;
  reply["free_bytes"] = counts.space.free_bytes;
  reply["map_bytes"] = counts.space.map_bytes;
  reply["records"] = records_of(counts.records);
  reply["sessions"] = sessions;
  reply["outgoing_messages"] = outgoing;
  reply["retained_messages"] = door.database->retained_messages();
  reply["retained_bytes"] = door.database->retained_bytes();
  reply["damaged_records"] = door.database->damaged_records();
  if (door.figures) add_figures(door.figures(), reply);
  return {};
}

void fill_check(const store::Inspection& inspection, json::object& reply) {
  reply["sound"] = inspection.verdict == store::Verdict::sound;
  reply["records"] = records_of(inspection.records);
  reply["sessions"] = inspection.sessions;
  reply["outgoing_messages"] = inspection.outgoing_messages;
  reply["retained_messages"] = inspection.retained_messages;
  reply["problem_count"] = inspection.problem_count;
  json::array problems;
  for (const std::string& problem : inspection.problems)
    problems.emplace_back(problem);
  reply["problems"] = std::move(problems);
}

std::string store_check(const StoreDoor& door, json::object& reply) {
  store::LiveCheck check;
  bool more = true;
  while (more) {
    if (!door.run([&](store::Database& database) { more = check.step(database); })) return kNotNow;
  }
  fill_check(check.result(), reply);
  return {};
}

std::string store_compact(const StoreDoor& door, json::object& reply) {
  store::CompactResult result;
  std::string error;
  bool done = false;
  const bool ran = door.run([&](store::Database& database) {
    done = store::compact(database, door.directory, result, error);
  });
  if (!ran || !done) return error.empty() ? kNotNow : error;
  reply["bytes_before"] = result.bytes_before;
  reply["bytes_after"] = result.bytes_after;
  return {};
}

std::string store_backup(const StoreDoor& door, const std::string& directory, json::object& reply) {
  if (directory.empty() || directory.front() != '/') {
    return "a backup needs a \"directory\", from the root on";
  }
  std::uint64_t bytes = 0;
  std::string error;
  if (!store::backup(*door.database, directory, bytes, error)) return error;
  reply["file"] = cat(directory, '/', store::kDataFile);
  reply["bytes"] = bytes;
  return {};
}

void add_store_commands(Control& control, const StoreDoor& door) {
  control.add("store.stats", [door](const json::object&, json::object& reply) {
    return store_stats(door, reply);
  });
  control.add("store.check", [door](const json::object&, json::object& reply) {
    return store_check(door, reply);
  });
  control.add("store.compact", [door](const json::object&, json::object& reply) {
    return store_compact(door, reply);
  });
  control.add("store.backup", [door](const json::object& request, json::object& reply) {
    const json::value* directory = request.if_contains("directory");
    const bool named = directory != nullptr && directory->is_string();
    return store_backup(door, named ? std::string(directory->as_string().c_str()) : "", reply);
  });
}

}  // namespace linnet::control
