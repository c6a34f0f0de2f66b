// `linnet trace`: what happens to the messages of one client, or of the topics that a filter
// matches. The shards write it into one bounded list, which one reader empties; what finds no place
// there is counted. Any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

#include "base/mailbox.hpp"
#include "shard/observer.hpp"

namespace linnet::shard {

struct TraceFilter {
  std::string client_id;  // as publisher or as receiver; empty: any
  std::string topic;      // a topic filter; empty: any
};

struct TraceRecord {
  std::uint64_t number = 0;  // counts all that matched, lost ones included
  std::int64_t wall_us = 0;  // since 1970
  session::Step step = session::Step::received;
  bool has_message = false;
  std::string client_id;
  std::string topic;
  std::string publisher;
  std::string why;
  std::size_t payload_bytes = 0;
  std::uint16_t packet_id = 0;
  Qos qos = Qos::at_most_once;
  bool retain = false;
  bool dup = false;
  std::uint32_t receivers = 0;
  std::uint32_t other_shards = 0;
};

class Trace final : public Observer {
 public:
  static constexpr std::size_t kRecordsMax = 4096;
  static constexpr std::size_t kBytesMax = std::size_t{1} << 20;

  /// `waker` is called when the list was empty; it must live until leave().
  Trace(TraceFilter filter, Waker* waker) : filter_(std::move(filter)), waker_(waker) {}

  void observe(router::ShardId shard, const session::WatchedStep& step) override;
  /// Nobody reads any more.
  void leave();
  /// At most `max` records, oldest first, and how many were lost since the last call.
  struct Taken {
    std::deque<TraceRecord> records;
    std::uint64_t lost = 0;
    bool more = false;
  };
  [[nodiscard]] Taken take(std::size_t max);

 private:
  [[nodiscard]] bool concerns(const session::WatchedStep& step) const noexcept;

  const TraceFilter filter_;
  std::mutex mutex_;
  Waker* waker_;
  std::deque<TraceRecord> records_;
  std::size_t bytes_ = 0;
  std::uint64_t seen_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace linnet::shard
