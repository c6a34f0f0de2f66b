// `linnet top`: which topics and which clients the messages of a time belong to. Each shard counts
// in a place of its own with a fixed number of rows; where more topics are in use than rows, the
// heaviest are still right (Metwally's "space saving"). Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/hash.hpp"
#include "shard/observer.hpp"

namespace linnet::shard {

struct HeavyRow {
  std::string name;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t error = 0;  // it may be so many messages less
};

/// The heaviest names of a stream, in bounded memory. One thread.
class HeavyHitters {
 public:
  static constexpr std::size_t kRowsMax = 128;
  /// Longer names are counted by their beginning.
  static constexpr std::size_t kNameMax = 256;

  void count(std::string_view name, std::size_t bytes);
  /// The rows, unsorted, and begins anew.
  [[nodiscard]] std::vector<HeavyRow> take();

 private:
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return static_cast<std::size_t>(hash64(name, 0x746F70));
    }
  };
  std::vector<HeavyRow> rows_;
  boost::unordered_flat_map<std::string, std::size_t, NameHash, std::equal_to<>> places_;
};

/// The `max` heaviest of what several shards have counted.
[[nodiscard]] std::vector<HeavyRow> heaviest(std::vector<HeavyRow> rows, std::size_t max);

class Tops final : public Observer {
 public:
  explicit Tops(std::uint32_t shards);

  void observe(router::ShardId shard, const session::WatchedStep& step) override;

  struct Taken {
    std::vector<HeavyRow> topics;   // of what clients have published
    std::vector<HeavyRow> senders;  // client identifiers
    std::vector<HeavyRow> receivers;
  };
  /// The heaviest since the last call.
  [[nodiscard]] Taken take(std::size_t max);

 private:
  struct Lane {
    std::mutex mutex;
    HeavyHitters topics;
    HeavyHitters senders;
    HeavyHitters receivers;
  };
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace linnet::shard
