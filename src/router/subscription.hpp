// A subscription as the router keeps it: a member of two lists, that of its filter's node and that
// of its subscriber. Private to this room.
#pragma once

#include "router/router.hpp"
#include "router/trie.hpp"

namespace linnet::router {

struct Subscription {
  Subscriber* subscriber = nullptr;
  Subscription* previous_in_node = nullptr;
  Subscription* next_in_node = nullptr;
  Subscription* previous_in_list = nullptr;
  Subscription* next_in_list = nullptr;
  SubscriptionTerms terms;
  NodeIndex node = kNoNode;
};

}  // namespace linnet::router
