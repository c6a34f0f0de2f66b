#include "control/admin_commands.hpp"

#include <utility>

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "base/clock.hpp"
#include "base/version.hpp"
#include "control/admin_json.hpp"
#include "control/asked.hpp"
#include "control/health.hpp"
#include "control/request.hpp"
#include "control/retained_commands.hpp"
#include "control/watch_commands.hpp"

namespace linnet::control {

namespace {

namespace json = boost::json;
using shard::Question;

constexpr std::uint64_t kListMax = 1000;

std::unique_ptr<Conversation> one_answer(const AdminDoor& door, Question question, Waker& waker,
                                         OneAnswer::Fill fill) {
  return std::make_unique<OneAnswer>(door.post, std::move(question), waker, std::move(fill));
}

json::object memory_of(const MemoryBudget& memory) {
  const std::string_view pressure = name_of(memory.level());
  return {{"used", memory.used()},
          {"max", memory.limit()},
          {"pressure", json::string_view(pressure.data(), pressure.size())}};
}

json::object store_of(const store::StoreFigures& figures) {
  return {{"file_bytes", figures.file_bytes},
          {"used_bytes", figures.used_bytes},
          {"retained_messages", figures.retained_messages},
          {"retained_bytes", figures.retained_bytes},
          {"commits", figures.commits},
          {"commit_us", figures.commit_us},
          {"alarm", figures.alarm}};
}

std::string status(const AdminDoor& door, const shard::Findings& found, bool all_answered,
                   json::object& reply) {
  const store::StoreFigures store = door.store.figures();
  const session::SettingsPtr settings = door.settings();
  const Limits& limits = settings->config.limits;
  HealthFacts facts;
  facts.store_alarm = store.alarm;
  facts.pressure = door.memory.level();
  facts.memory_used = used_text(door.memory);
  facts.connections_left = door.connections.left();
  facts.connections_max = limits.connections_max;
  facts.sessions_left = door.kept_sessions.left();
  facts.sessions_max = limits.sessions_max;
  std::string health = health_line(facts);
  if (!all_answered) health = health == "healthy" ? kLate : cat(kLate, "; ", health);
  reply["version"] = std::string(kVersion);
  reply["health"] = health;
  reply["uptime_s"] = (system_clock().now_ms() - door.started_ms) / 1000;
  reply["threads"] = door.post.shards();
  reply["directory"] = door.directory;
  json::array addresses;
  for (const std::string& one : door.addresses())
    addresses.emplace_back(one);
  reply["listeners"] = std::move(addresses);
  reply["counters"] = json_of(found.counters);
  reply["memory"] = memory_of(door.memory);
  reply["store"] = store_of(store);
  return {};
}

/// A broker that hangs has a status, too: that is what it is asked for.
class Status final : public Conversation {
 public:
  Status(const AdminDoor& door, Waker& waker) : door_(door), asked_(door.post, {}, waker) {}

  [[nodiscard]] bool speak(std::string& output) override {
    shard::Findings found;
    const auto state = asked_.look(found);
    if (state == Asked::State::waits) return true;
    json::object reply{{"ok", true}};
    status(door_, found, state == Asked::State::answered, reply);
    output += cat(std::string_view(json::serialize(reply)), '\n');
    return false;
  }
  [[nodiscard]] std::uint64_t due_ms() const override { return asked_.due_ms(); }

 private:
  const AdminDoor& door_;
  Asked asked_;
};

std::string fill_list(const Question& question, const shard::Findings& found, json::object& reply) {
  if (!question.client_id.empty() && found.sessions.empty()) {
    return cat("there is no session of the client \"", question.client_id, '"');
  }
  reply["sessions"] = json_of(found.sessions);
  reply["matching"] = found.matching;  // behind `after`
  if (found.partial) reply["partial"] = true;
  if (found.matching > found.sessions.size() && !found.sessions.empty()) {
    reply["next"] = found.sessions.back().client_id;
  }
  return {};
}

std::unique_ptr<Conversation> list(const AdminDoor& door, bool connected_only,
                                   const json::object& request, Waker& waker, std::string& error) {
  Question question;
  question.kind = Question::Kind::list;
  question.connected_only = connected_only;
  question.after = text_of(request, "after", error);
  question.client_id = text_of(request, "client_id", error);
  question.limit = number_of(request, "limit", 100, error);
  if (error.empty() && (question.limit == 0 || question.limit > kListMax)) {
    error = cat("\"limit\" is 1 to ", kListMax, "; ask again with \"after\" for more");
  }
  if (!error.empty()) return nullptr;
  return one_answer(door, question, waker,
                    [question](const shard::Findings& found, json::object& reply) {
                      return fill_list(question, found, reply);
                    });
}

std::unique_ptr<Conversation> kick(const AdminDoor& door, const json::object& request, Waker& waker,
                                   std::string& error) {
  Question question;
  question.kind = Question::Kind::kick;
  question.client_id = text_of(request, "client_id", error);
  question.ends_session = flag_of(request, "end_session", error);
  if (error.empty() && question.client_id.empty()) error = "the request needs a \"client_id\"";
  if (!error.empty()) return nullptr;
  return one_answer(door, question, waker,
                    [question](const shard::Findings& found, json::object& reply) -> std::string {
                      if (found.matching == 0) {
                        return cat("there is no session of the client \"", question.client_id, '"');
                      }
                      if (found.connected == 0 && !question.ends_session) {
                        return cat("the client \"", question.client_id,
                                   "\" is not connected; \"end_session\" ends its session");
                      }
                      reply["was_connected"] = found.connected != 0;
                      reply["session_ended"] = found.ended != 0;
                      return {};
                    });
}

}  // namespace

void add_admin_commands(Control& control, const AdminDoor& door) {
  control.add_conversation("status", [&door](const json::object&, Waker& waker, std::string&) {
    return std::make_unique<Status>(door, waker);
  });
  control.add_conversation("clients",
                           [&door](const json::object& request, Waker& waker, std::string& error) {
                             return list(door, true, request, waker, error);
                           });
  control.add_conversation("sessions",
                           [&door](const json::object& request, Waker& waker, std::string& error) {
                             return list(door, false, request, waker, error);
                           });
  control.add_conversation("kick",
                           [&door](const json::object& request, Waker& waker, std::string& error) {
                             return kick(door, request, waker, error);
                           });
  add_retained_commands(control, door);
  add_watch_commands(control, door);
}

}  // namespace linnet::control
