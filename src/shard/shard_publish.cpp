// The one door for messages, and what comes of them in this shard and the others (design: the way
// of a PUBLISH).
#include <algorithm>
#include <bit>
#include <utility>

#include "base/assert.hpp"
#include "base/hash.hpp"
#include "shard/shard.hpp"

namespace linnet::shard {

using session::Published;
using session::PublishWaiter;

namespace {

constexpr router::ShardMask bit(ShardId shard) noexcept {
  return router::ShardMask{1} << shard;
}

}  // namespace

ShardId Shard::retained_home(std::string_view topic) const noexcept {
  return alone() ? 0 : home_of(topic, shards_);
}

Published Shard::publish(Publication& publication, const PublishWaiter& waiter) {
  assert_owner();
  LINNET_ASSERT(!publishing_);
  const MessageView& message = publication.view();
  const router::Route& route = router_.route(message.topic);
  const bool retains = message.retain && config().limits.retain_available;
  router::ShardMask shards = route.shards;
  if (retains) shards |= bit(retained_home(message.topic));
  shards &= ~bit(id_);
  if ((!store_.has_room() || !store_.accepts()) && concerns_store(message, route, waiter)) {
    const bool can_be_told =
        waiter.connection != nullptr && waiter.connection->version() == Version::v5;
    if (!store_.accepts() && can_be_told) {
      return {Published::State::done, ReasonCode::quota_exceeded, 0};
    }
    return {Published::State::no_room, ReasonCode::success, 0};
  }
  if (shards != 0 && !has_room(shards, message.payload.size())) {
    return {Published::State::no_room, ReasonCode::success, 0};
  }
  publishing_ = true;
  begin_saving();
  router::Delivering delivering;
  const bool waits = waiter.connection != nullptr;
  if (waits) delivering.unit = (std::uint64_t{id_} << 56) | ++last_unit_;
  if (shards != 0) send_publish(shards, route, publication, delivering);
  deliver(route, publication, delivering);
  if (retains && retained_home(message.topic) == id_) retain(publication);
  if (waits) save_received(waiter);
  publishing_ = false;
  const bool alone = shards == 0 && current_ == 0;
  if (waits && alone && failed(delivering.worst)) {
    give_up_saving();
  } else if (waits && alone && !saving_.empty()) {
    return submit_alone(publication, waiter, delivering);
  }
  submit_saving(publication, delivering);
  return finish_publish(waiter, delivering, shards != 0);
}

/// Whether the store has to do with this message, as far as this shard can tell. For the rare time
/// when the store has no room.
bool Shard::concerns_store(const MessageView& message, const router::Route& route,
                           const PublishWaiter& waiter) const {
  if (message.qos == Qos::at_most_once) {
    // It goes on; with a full disk, a retained one is not kept.
    return message.retain && config().limits.retain_available && store_.accepts();
  }
  if (message.retain && config().limits.retain_available) return true;
  if (waiter.session != nullptr && waiter.session->kept()) return true;
  if ((route.shards & ~bit(id_)) != 0) return true;
  return std::any_of(route.targets.begin(), route.targets.end(),
                     [](const router::Target& target) { return target.subscriber->durable(); });
}

bool Shard::has_room(router::ShardMask shards, std::size_t bytes) {
  bool room = true;
  for (router::ShardMask left = shards; left != 0; left &= left - 1) {
    const auto shard = static_cast<ShardId>(std::countr_zero(left));
    auto& mailbox = common_.post.mailbox(shard);
    if (!mailbox.reserve_or_wait(id_, outgoing_bytes_[shard] + bytes)) room = false;
  }
  return room;
}

void Shard::send_publish(router::ShardMask shards, const router::Route& route,
                         Publication& publication, const router::Delivering& delivering) {
  const MessageView& message = publication.view();
  const bool retains = message.retain && config().limits.retain_available;
  const ShardId home = retained_home(message.topic);
  for (router::ShardMask left = shards; left != 0; left &= left - 1) {
    const auto shard = static_cast<ShardId>(std::countr_zero(left));
    PublishLetter letter;
    letter.message = Message::make(message);
    letter.unit = delivering.unit;
    letter.deliver = (route.shards & bit(shard)) != 0;
    letter.retain = retains && home == shard;
    if (delivering.unit != 0) {
      letter.reply = {id_, current_operation()};
      add_part(letter.reply.operation);
    }
    const std::size_t bytes = letter.message->memory_bytes();
    post(shard, std::move(letter), bytes);
  }
}

void Shard::deliver(const router::Route& route, Publication& publication,
                    router::Delivering& delivering) {
  const bool fans_out = route.targets.size() > 1;
  if (fans_out) forms_.begin();
  for (const router::Target& target : route.targets) {
    target.subscriber->deliver(publication, target, route.ids_of(target), delivering);
  }
  if (fans_out) forms_.end();
}

Published Shard::finish_publish(const PublishWaiter& waiter, const router::Delivering& delivering,
                                bool sent) {
  if (waiter.connection == nullptr) {
    current_ = 0;
    return {};
  }
  if (!sent && delivering.durable_parts == 0 && current_ == 0) {
    const bool nobody = delivering.receivers == 0 && delivering.worst == ReasonCode::success;
    return {Published::State::done, nobody ? ReasonCode::no_matching_subscribers : delivering.worst,
            0};
  }
  const OperationId id = current_operation();
  current_ = 0;
  Operation& operation = *operations_.find(id);
  operation.kind =
      waiter.session != nullptr ? Operation::Kind::received : Operation::Kind::connection;
  operation.connection = waiter.connection;
  operation.session = waiter.session;
  operation.packet_id = waiter.packet_id;
  operation.is_unit = true;
  operation.unit = delivering.unit;
  operation.receivers += delivering.receivers;
  operation.durable_parts += delivering.durable_parts;
  if (failed(delivering.worst)) operation.worst = delivering.worst;
  operation.held = false;
  if (const auto reason = complete(id, false)) return {Published::State::done, *reason, 0};
  return {Published::State::waiting, ReasonCode::success, id};
}

void Shard::on(PublishLetter letter) {
  Publication publication(std::move(letter.message));
  publishing_ = true;
  begin_saving();
  router::Delivering delivering;
  delivering.unit = letter.unit;
  if (letter.deliver) deliver(router_.route(publication->topic), publication, delivering);
  if (letter.retain) retain(publication);
  publishing_ = false;
  submit_saving(publication, delivering);
  const OperationId relay = std::exchange(current_, 0);
  if (letter.reply.operation == 0) return;
  if (relay == 0) {
    return reply(letter.reply,
                 {0, delivering.worst, delivering.receivers, delivering.durable_parts});
  }
  // A shared group has passed it on to a third shard, whose answer is a part of ours.
  Operation& operation = *operations_.find(relay);
  operation.kind = Operation::Kind::relay;
  operation.reply = letter.reply;
  operation.receivers += delivering.receivers;
  operation.durable_parts += delivering.durable_parts;
  if (failed(delivering.worst)) operation.worst = delivering.worst;
  operation.held = false;
  complete(relay, true);
}

void Shard::on(const RoomLetter&) {
  room_ = true;
  erase_again();
}

}  // namespace linnet::shard
