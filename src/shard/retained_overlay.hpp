// Retained messages of this home shard that the store does not have yet, by topic; one without
// payload clears its topic. One shard's thread only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/message.hpp"

namespace linnet::shard {

class RetainedOverlay {
 public:
  void set(const MessagePtr& message);
  /// The store has answered for this message: it is forgotten, unless a newer one took its place.
  void settle(const MessagePtr& message);
  /// Adds copies of all messages whose topic matches.
  void collect(std::string_view filter, std::vector<MessagePtr>& copies) const;
  [[nodiscard]] bool empty() const noexcept { return messages_.empty(); }

 private:
  std::map<std::string, MessagePtr, std::less<>> messages_;
};

}  // namespace linnet::shard
