#include "shard/retained_overlay.hpp"

#include "base/topic.hpp"

namespace linnet::shard {

void RetainedOverlay::set(const MessagePtr& message) {
  messages_.insert_or_assign(std::string(message->topic()), message);
}

void RetainedOverlay::settle(const MessagePtr& message) {
  const auto found = messages_.find(message->topic());
  if (found != messages_.end() && found->second == message) messages_.erase(found);
}

void RetainedOverlay::collect(std::string_view filter, std::vector<MessagePtr>& copies) const {
  for (const auto& [topic, message] : messages_) {
    if (topic_matches(filter, topic)) copies.push_back(message->clone());
  }
}

}  // namespace linnet::shard
