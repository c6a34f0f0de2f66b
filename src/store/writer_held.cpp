// What the writer does while nothing can be written: after an I/O error, on a disk that is too full
// even for erasing, and with a damaged store.

#include <algorithm>
#include <utility>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "store/batch.hpp"
#include "store/writer.hpp"

namespace linnet::store {

using std::chrono::steady_clock;

void Writer::hold(Batch batch, Status status) {
  const Trouble trouble = status == Status::no_space  ? Trouble::no_space
                          : status == Status::damaged ? Trouble::damaged
                                                      : Trouble::failing;
  if (trouble != trouble_) raise(trouble, status);
  append(batch, std::exchange(held_, {}));
  held_ = std::move(batch);
  held_since_ = steady_clock::now();
  retry_delay_ = options_.retry_first;
  retry_at_ = held_since_ + retry_delay_;
  holds_ = true;
  if (trouble == Trouble::damaged) refuse_waiting();
}

bool Writer::step_held() {
  const auto refuse_at = held_since_ + options_.refuse_after;
  const bool damaged = trouble_ == Trouble::damaged;
  // What nobody waits for is kept, but not without a bound.
  const bool much = held_.units.size() + held_.erased.size() >= options_.intake.requests_max ||
                    held_.bytes >= options_.intake.bytes_max;
  auto woken = Intake::Woken::timeout;
  if (damaged) {
    woken = intake_.wait(options_.lazy, {});
  } else if (much || steady_clock::now() < refuse_at) {
    woken = intake_.sleep(much ? retry_at_ : std::min(retry_at_, refuse_at));
  } else {
    woken = intake_.wait(options_.lazy, retry_at_);
  }
  const bool stops = woken == Intake::Woken::stopped;
  if (!damaged && (stops || steady_clock::now() >= retry_at_)) retry();
  if (!holds_) return true;
  if (stops) {
    give_up();
    return false;
  }
  if (!much && (damaged || steady_clock::now() >= refuse_at)) refuse_waiting();
  return true;
}

void Writer::retry() {
  std::string error;
  Status status = trouble_ == Trouble::failing ? target_.reopen(error) : Status::ok;
  // What a failed commit has written all the same is written again now, and is the same then.
  if (status == Status::ok) status = write(held_);
  if (status == Status::no_space) {
    const bool was_closed = trouble_ == Trouble::failing;
    if (trouble_ != Trouble::no_space) raise(Trouble::no_space, status);
    status = write_without_room(held_);
    if (was_closed) sink_.has_room_again();  // those who read go on, and make room
  }
  if (status == Status::ok) {
    holds_ = false;
    sweep_wanted_ = true;
    // First, since whoever is answered may come with more at once.
    if (trouble_ == Trouble::failing) clear();
    answer(sink_, std::exchange(held_, {}));
    return;
  }
  if (status == Status::damaged) return hold({}, status);
  if (status != Status::no_space && trouble_ != Trouble::failing) raise(Trouble::failing, status);
  retry_delay_ = std::min(retry_delay_ * 2, options_.retry_max);
  retry_at_ = steady_clock::now() + retry_delay_;
}

/// A commit that was reported as failed may have taken effect all the same. A message of it then
/// comes twice, which is no harm; but a received identifier would swallow its client's next
/// message.
void Writer::take_identifiers_back(const Batch& refused) {
  Unit unit;
  unit.parts.emplace_back();
  for (const Unit& one : refused.units) {
    for (const Request& part : one.parts) {
      for (const Change& change : part.changes) {
        const auto* put = std::get_if<PutReceived>(&change);
        if (put == nullptr) continue;
        unit.parts.front().changes.emplace_back(EraseReceived{put->session, put->packet_id});
      }
    }
  }
  if (!unit.parts.front().changes.empty()) held_.units.push_back(std::move(unit));
}

/// Tells everybody who waits that it is `full`.
void Writer::refuse_waiting() {
  const bool damaged = trouble_ == Trouble::damaged;
  append(held_, std::exchange(pending_, {}));
  append(held_, intake_.take({.bytes_max = options_.commit_bytes_max}));
  Batch refused = split_off(held_, [&](const Unit& unit) { return damaged || is_awaited(unit); });
  if (damaged) {
    held_ = {};
  } else {
    take_identifiers_back(refused);
    held_.bytes = bytes_of(held_);
  }
  answer_full(std::move(refused));
}

void Writer::give_up() {
  append(held_, std::exchange(pending_, {}));
  for (;;) {
    Batch batch = intake_.take({.bytes_max = options_.commit_bytes_max});
    if (batch.empty()) break;
    append(held_, std::move(batch));
  }
  log::error("store", cat("the store can't be written at the end: ", held_.units.size(),
                          " changes and ", held_.erased.size(), " erasures are lost"));
  answer_full(std::exchange(held_, {}));
}

}  // namespace linnet::store
