#include "router/subscription_index.hpp"

namespace linnet::router {

Subscription* SubscriptionIndex::find(const TrieNode& node, NodeIndex index,
                                      const SubscriptionList& list) const noexcept {
  if (list.first == nullptr || node.first == nullptr) return nullptr;
  const Subscriber* subscriber = list.first->subscriber;
  if (list.is_indexed) {
    const auto found = table_.find(Probe{subscriber, index});
    return found == table_.end() ? nullptr : *found;
  }
  // Both at once, because the filter may have few subscribers, too.
  Subscription* in_node = node.first;
  Subscription* in_list = list.first;
  while (in_node != nullptr && in_list != nullptr) {
    if (in_node->subscriber == subscriber) return in_node;
    if (in_list->node == index) return in_list;
    in_node = in_node->next_in_node;
    in_list = in_list->next_in_list;
  }
  return nullptr;
}

void SubscriptionIndex::on_linked(SubscriptionList& list) {
  if (list.is_indexed) {
    table_.insert(list.first);
  } else if (list.size > kFew) {
    list.is_indexed = true;
    for (Subscription* each = list.first; each != nullptr; each = each->next_in_list)
      table_.insert(each);
  }
}

void SubscriptionIndex::on_unlinked(Subscription& subscription, SubscriptionList& list) noexcept {
  if (!list.is_indexed) return;
  table_.erase(&subscription);
  if (list.first == nullptr) list.is_indexed = false;
  // Whatever a flood once took is given back when the last of it goes.
  if (table_.empty()) table_ = {};
}

}  // namespace linnet::router
