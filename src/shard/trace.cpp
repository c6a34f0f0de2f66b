#include "shard/trace.hpp"

#include <chrono>
#include <utility>

#include "base/topic.hpp"

namespace linnet::shard {

namespace {

std::size_t bytes_of(const TraceRecord& record) noexcept {
  return sizeof(TraceRecord) + record.client_id.size() + record.topic.size() +
         record.publisher.size() + record.why.size();
}

TraceRecord record_of(const session::WatchedStep& step) {
  using std::chrono::microseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  TraceRecord record;
  record.wall_us = std::chrono::duration_cast<microseconds>(now).count();
  record.step = step.step;
  record.client_id = step.client_id;
  record.why = step.why;
  record.packet_id = step.packet_id;
  record.qos = step.qos;
  record.retain = step.retain;
  record.dup = step.dup;
  record.receivers = step.receivers;
  record.other_shards = step.other_shards;
  if (step.message == nullptr) return record;
  record.has_message = true;
  record.topic = step.message->topic;
  record.publisher = step.message->publisher;
  record.payload_bytes = step.message->payload.size();
  return record;
}

}  // namespace

bool Trace::concerns(const session::WatchedStep& step) const noexcept {
  const MessageView* message = step.message;
  if (!filter_.client_id.empty() && step.client_id != filter_.client_id &&
      (message == nullptr || message->publisher != filter_.client_id)) {
    return false;
  }
  if (filter_.topic.empty()) return true;
  return message != nullptr && topic_matches(filter_.topic, message->topic);
}

void Trace::observe(router::ShardId, const session::WatchedStep& step) {
  if (!concerns(step)) return;
  TraceRecord record = record_of(step);
  const std::size_t bytes = bytes_of(record);
  const std::lock_guard lock(mutex_);
  record.number = ++seen_;
  if (waker_ == nullptr) return;
  if (records_.size() >= kRecordsMax || bytes_ + bytes > kBytesMax) {
    ++lost_;
    return;
  }
  const bool first = records_.empty();
  bytes_ += bytes;
  records_.push_back(std::move(record));
  if (first) waker_->wake();
}

void Trace::leave() {
  const std::lock_guard lock(mutex_);
  waker_ = nullptr;
  records_.clear();
  bytes_ = 0;
}

Trace::Taken Trace::take(std::size_t max) {
  const std::lock_guard lock(mutex_);
  Taken taken;
  // What was lost came after all that is here.
  while (!records_.empty() && taken.records.size() < max) {
    bytes_ -= bytes_of(records_.front());
    taken.records.push_back(std::move(records_.front()));
    records_.pop_front();
  }
  taken.more = !records_.empty();
  if (!taken.more) taken.lost = std::exchange(lost_, 0);
  return taken;
}

}  // namespace linnet::shard
