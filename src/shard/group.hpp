// A shared group on its home shard: towards the router a subscriber like any other, towards its
// members the one that chooses.
#pragma once

#include <string>

#include "router/share_group.hpp"
#include "shard/letter.hpp"

namespace linnet::shard {

class Shard;

class Group final : public router::Subscriber {
 public:
  Group(Shard& shard, GroupName name, router::ShareGroup members)
      : shard_(shard), name_(std::move(name)), members_(std::move(members)) {}

  void deliver(Publication& publication, const router::Target& target,
               std::span<const std::uint32_t> subscription_ids,
               router::Delivering& delivering) override;

  [[nodiscard]] bool durable() const noexcept override { return true; }

  [[nodiscard]] const GroupName& name() const noexcept { return name_; }
  [[nodiscard]] router::ShareGroup& members() noexcept { return members_; }
  [[nodiscard]] router::SubscriptionList& subscriptions() noexcept { return subscriptions_; }

 private:
  Shard& shard_;
  GroupName name_;
  router::ShareGroup members_;
  router::SubscriptionList subscriptions_;
};

}  // namespace linnet::shard
