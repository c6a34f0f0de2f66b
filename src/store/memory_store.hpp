// A store that keeps nothing beyond the process: the stand-in until the durable one is there. It
// answers as that one will, by letter and never from within a shard's own call, and orders changes
// as that one will. Retained messages are kept here; sessions and backlogs live in their shards'
// memory, so that of these it only confirms the changes.
#pragma once

#include <map>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "store/store.hpp"

namespace linnet::store {

struct MemoryStoreLimits {
  std::uint64_t retained_messages_max = 0;
  std::uint64_t retained_bytes_max = 0;
};

class MemoryStore final : public Store {
 public:
  /// `sink` must outlive the store.
  MemoryStore(const MemoryStoreLimits& limits, AnswerSink& sink);

  void submit(Request request) override;
  void submit(const Seal& seal) override;
  [[nodiscard]] bool has_room() const noexcept override { return true; }
  RetainedWalk read_retained(const RetainedQuery& query,
                             FunctionRef<bool(const MessageView&)> visit) const override;
  [[nodiscard]] StoreFigures figures() const noexcept override;

 private:
  /// A request, and when it came: changes of one topic become true in that order.
  struct Part {
    Request request;
    std::uint64_t arrival = 0;
  };
  struct Unit {
    std::vector<Part> parts;
    Seal seal;
    bool sealed = false;
  };
  /// A topic whose retained message is in a unit that is not complete: a change that came later may
  /// be committed earlier, and must stay.
  struct Contested {
    std::uint32_t pending = 0;
    std::uint64_t applied = 0;  // the arrival of the last change that was committed
  };

  Outcome apply_alone(Request&& request);
  /// All of the changes, or none of them.
  Outcome apply(std::vector<Part>& parts);
  [[nodiscard]] bool fits(const std::vector<Part>& parts) const;
  void contest(const Request& request);
  void settle(const Request& request);
  [[nodiscard]] bool is_outdated(std::string_view topic, std::uint64_t arrival);
  void put_retained(MessagePtr message);
  void finish(Unit& unit);

  const MemoryStoreLimits limits_;
  AnswerSink& sink_;

  mutable std::shared_mutex mutex_;  // guards all below
  std::map<std::string, MessagePtr, std::less<>> retained_;
  std::uint64_t retained_bytes_ = 0;
  std::unordered_map<UnitId, Unit> units_;
  std::map<std::string, Contested, std::less<>> contested_;
  std::uint64_t arrivals_ = 0;
};

}  // namespace linnet::store
