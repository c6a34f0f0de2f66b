#include "cli/store_print.hpp"

#include <array>
#include <string_view>

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "cli/options.hpp"

namespace linnet::cli {
namespace {

namespace json = boost::json;

std::uint64_t number(const json::object& answer, const char* key) {
  const json::value* value = answer.if_contains(key);
  if (value == nullptr) return 0;
  boost::system::error_code code;
  const auto result = value->to_number<std::uint64_t>(code);
  return code ? 0 : result;
}

std::string text(const json::object& answer, const char* key) {
  const json::value* value = answer.if_contains(key);
  return value != nullptr && value->is_string() ? value->as_string().c_str() : std::string();
}

std::string bytes(const json::object& answer, const char* key) {
  return bytes_text(number(answer, key));
}

void print_row(std::string_view name, const std::string& value) {
  constexpr std::size_t kColumn = 12;
  std::string row(name);
  row.resize(kColumn, ' ');
  print_line(cat(row, value));
}

bool is_true(const json::object& answer, const char* key) {
  const json::value* value = answer.if_contains(key);
  return value != nullptr && value->is_bool() && value->as_bool();
}

void print_stats(const json::object& answer) {
  const bool running = is_true(answer, "running");
  print_row("store", cat(text(answer, "directory"), "/data.mdb, format ", number(answer, "format"),
                         running ? ", in use by a broker" : ", not in use"));
  print_row("file", cat(bytes(answer, "file_bytes"), ": ", bytes(answer, "used_bytes"), " in use, ",
                        bytes(answer, "free_bytes"), " free for reuse; at most ",
                        bytes(answer, "map_bytes")));
  print_row("sessions", cat(number(answer, "sessions"), ", with ",
                            number(answer, "outgoing_messages"), " messages for them"));
  print_row("retained", cat(number(answer, "retained_messages"), " messages of ",
                            bytes(answer, "retained_bytes")));
  std::string records;
  if (const json::value* tables = answer.if_contains("records"); tables != nullptr) {
    if (tables->is_object()) {
      for (const auto& [name, count] : tables->as_object()) {
        const std::string_view table(name.data(), name.size());
        records +=
            cat(records.empty() ? "" : ", ", number(tables->as_object(), table.data()), ' ', table);
      }
    }
  }
  print_row("records", records);
  if (!running) return;
  print_row("commits",
            cat(number(answer, "commits"), " since the start, ", bytes(answer, "bytes_written"),
                " written, ", number(answer, "commit_us"), " us each"));
  print_row("messages", cat(number(answer, "outgoing_saved"), " written since the start, ",
                            number(answer, "taken_back"), " acknowledged before"));
  const std::string alarm = text(answer, "alarm");
  print_row("alarm", alarm.empty() ? "none" : alarm);
}

void print_check(const json::object& answer) {
  const json::value* problems = answer.if_contains("problems");
  std::size_t shown = 0;
  if (problems != nullptr && problems->is_array()) {
    for (const json::value& problem : problems->as_array()) {
      if (problem.is_string()) print_line(problem.as_string().c_str());
      ++shown;
    }
  }
  const std::uint64_t count = number(answer, "problem_count");
  if (count > shown) print_line(cat("... and ", count - shown, " more"));
  print_line(cat(is_true(answer, "sound") ? "sound: " : "damaged: ", number(answer, "sessions"),
                 " sessions, ", number(answer, "outgoing_messages"), " messages for them, ",
                 number(answer, "retained_messages"), " retained messages"));
}

}  // namespace

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array kUnits = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return cat(bytes, " bytes");
  std::size_t unit = 0;
  std::uint64_t tenths = bytes * 10;
  while (tenths >= 10'240 && unit + 1 < kUnits.size()) {
    tenths /= 1'024;
    ++unit;
  }
  return cat(tenths / 10, '.', tenths % 10, ' ', kUnits[unit]);
}

void print_store_answer(const std::string& action, const json::object& answer) {
  if (action == "stats") {
    print_stats(answer);
  } else if (action == "check") {
    print_check(answer);
  } else if (action == "compact") {
    print_line(cat("compacted: ", bytes(answer, "bytes_before"), " before, ",
                   bytes(answer, "bytes_after"), " now"));
  } else {
    print_line(cat(text(answer, "file"), ": ", bytes(answer, "bytes")));
  }
}

}  // namespace linnet::cli
