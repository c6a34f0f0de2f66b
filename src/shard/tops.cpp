#include "shard/tops.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace linnet::shard {

void HeavyHitters::count(std::string_view name, std::size_t bytes) {
  name = name.substr(0, kNameMax);
  if (const auto found = places_.find(name); found != places_.end()) {
    HeavyRow& row = rows_[found->second];
    ++row.messages;
    row.bytes += bytes;
    return;
  }
  if (rows_.size() < kRowsMax) {
    places_.emplace(std::string(name), rows_.size());
    rows_.push_back({std::string(name), 1, bytes, 0});
    return;
  }
  // A new name takes the place of the lightest, and what that had counted.
  const auto lightest = std::min_element(
      rows_.begin(), rows_.end(),
      [](const HeavyRow& one, const HeavyRow& other) { return one.messages < other.messages; });
  places_.erase(places_.find(std::string_view(lightest->name)));
  lightest->name = name;
  lightest->error = lightest->messages;
  ++lightest->messages;
  lightest->bytes += bytes;
  places_.emplace(std::string(name), static_cast<std::size_t>(lightest - rows_.begin()));
}

std::vector<HeavyRow> HeavyHitters::take() {
  places_.clear();
  return std::exchange(rows_, {});
}

std::vector<HeavyRow> heaviest(std::vector<HeavyRow> rows, std::size_t max) {
  std::sort(rows.begin(), rows.end(),
            [](const HeavyRow& one, const HeavyRow& other) { return one.name < other.name; });
  std::vector<HeavyRow> sums;
  for (HeavyRow& row : rows) {
    if (sums.empty() || sums.back().name != row.name) {
      sums.push_back(std::move(row));
      continue;
    }
    sums.back().messages += row.messages;
    sums.back().bytes += row.bytes;
    sums.back().error += row.error;
  }
  std::stable_sort(sums.begin(), sums.end(), [](const HeavyRow& one, const HeavyRow& other) {
    return one.messages - one.error > other.messages - other.error;
  });
  if (sums.size() > max) sums.resize(max);
  return sums;
}

Tops::Tops(std::uint32_t shards) {
  for (std::uint32_t shard = 0; shard < shards; ++shard)
    lanes_.push_back(std::make_unique<Lane>());
}

void Tops::observe(router::ShardId shard, const session::WatchedStep& step) {
  using session::Step;
  if (step.message == nullptr) return;
  if (step.step != Step::received && step.step != Step::sent) return;
  Lane& lane = *lanes_[shard];
  const std::size_t bytes = step.message->payload.size();
  const std::lock_guard lock(lane.mutex);
  if (step.step == Step::sent) return lane.receivers.count(step.client_id, bytes);
  lane.topics.count(step.message->topic, bytes);
  lane.senders.count(step.client_id, bytes);
}

Tops::Taken Tops::take(std::size_t max) {
  Taken all;
  const auto append = [](std::vector<HeavyRow>& target, std::vector<HeavyRow> rows) {
    std::move(rows.begin(), rows.end(), std::back_inserter(target));
  };
  for (const auto& lane : lanes_) {
    const std::lock_guard lock(lane->mutex);
    append(all.topics, lane->topics.take());
    append(all.senders, lane->senders.take());
    append(all.receivers, lane->receivers.take());
  }
  return {heaviest(std::move(all.topics), max), heaviest(std::move(all.senders), max),
          heaviest(std::move(all.receivers), max)};
}

}  // namespace linnet::shard
