#include "broker/reload_command.hpp"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>

#include "base/cat.hpp"

namespace linnet {

namespace {

namespace json = boost::json;

constexpr std::size_t kLinesMax = 500;  // more are in the log alone

json::array array_of(const std::vector<std::string>& lines) {
  const std::size_t count = std::min(lines.size(), kLinesMax);
  json::array array;
  for (std::size_t at = 0; at < count; ++at)
    array.emplace_back(lines[at]);
  if (count < lines.size()) {
    array.emplace_back(cat("... and ", lines.size() - count, " more; the log has them all"));
  }
  return array;
}

}  // namespace

void ReloadRequests::set(std::function<ReloadReport()> answer) {
  const std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
}

void ReloadRequests::add_to(control::Control& control) {
  control.add("reload", [this](const json::object&, json::object& reply) -> std::string {
    const std::lock_guard lock(mutex_);
    if (!answer_) return "the broker starts or stops, or can't read its configuration again";
    const ReloadReport report = answer_();
    reply["applied"] = report.applied;
    reply["changed"] = array_of(report.changed);
    reply["needs_restart"] = array_of(report.needs_restart);
    reply["errors"] = array_of(report.errors);
    return {};
  });
}

}  // namespace linnet
