// A question of the administrator that one shard has not answered yet. Its thread only.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "session/session.hpp"
#include "shard/inquiry.hpp"

namespace linnet::shard {

struct PendingInquiry {
  InquiryPtr inquiry;
  Findings found;

  // A list: sessions are looked at in the order of the table
  std::map<std::pair<std::uint64_t, std::string>, session::SessionFacts> kept;  // best first
  session::SessionPtr last;  // the next one to look at stands behind it, ...
  std::size_t buckets = 0;   // ... unless the table has grown
  unsigned restarts = 0;

  // Retained messages to erase
  std::size_t next_topic = 0;
  session::OperationId operation = 0;  // the store's answer is awaited
  bool waits = false;                  // for that, or for room
};

}  // namespace linnet::shard
