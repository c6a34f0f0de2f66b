#include "control/asked.hpp"

#include <utility>

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "base/clock.hpp"
#include "control/control.hpp"

namespace linnet::control {

namespace json = boost::json;

Asked::Asked(shard::PostOffice& post, shard::Question question, Waker& waker,
             std::uint64_t patience_ms)
    : inquiry_(new shard::Inquiry(std::move(question), post.shards(), &waker)),
      due_ms_(system_clock().now_ms() + patience_ms) {
  for (shard::ShardId id = 0; id < post.shards(); ++id)
    post.mailbox(id).post(shard::InquiryLetter{inquiry_});
}

Asked::State Asked::look(shard::Findings& findings) {
  const bool is_late = system_clock().now_ms() >= due_ms_;
  const bool complete = !over_ && inquiry_->complete();
  if (!complete && !is_late) return State::waits;
  over_ = true;
  findings = inquiry_->take();
  if (complete) return State::answered;
  inquiry_->leave();
  return State::late;
}

bool OneAnswer::speak(std::string& output) {
  shard::Findings findings;
  const auto state = asked_.look(findings);
  if (state == Asked::State::waits) return true;
  json::object reply{{"ok", true}};
  const std::string error =
      state == Asked::State::late ? std::string(kLate) : fill_(findings, reply);
  output += error.empty() ? std::string(json::serialize(reply)) : error_line(error);
  output += '\n';
  return false;
}

}  // namespace linnet::control
