// A store whose writer takes a step only when it is told to: answers can be held, reordered between
// shards (never within one), refused, and there can be no room. Nothing is committed before its
// step.
//
//   c.store().hold();                 // from now on nothing is committed
//   a.sends_publish("x", "1", {.qos = 1});
//   c.store().release();              // one request or seal; release_all() ends the holding
#pragma once

#include <deque>
#include <random>
#include <string>
#include <vector>

#include "store/memory_store.hpp"

namespace linnet::test {

class FakeStore final : public store::Store {
 public:
  FakeStore(const store::MemoryStoreLimits& limits, store::AnswerSink& sink)
      : sink_(sink), inner_(limits, sink) {}

  void submit(store::Request request) override;
  void submit(const store::Seal& seal) override;
  [[nodiscard]] bool has_room() const noexcept override { return !full_; }
  store::RetainedWalk read_retained(const store::RetainedQuery& query,
                                    FunctionRef<bool(const MessageView&)> visit) const override {
    return inner_.read_retained(query, visit);
  }
  [[nodiscard]] store::StoreFigures figures() const noexcept override { return inner_.figures(); }

  void hold() noexcept { held_ = true; }
  /// Lets the writer take the next `requests` requests or seals.
  void release(std::size_t requests = 1) noexcept { allowed_ += requests; }
  void release_all() noexcept {
    held_ = false;
    allowed_ = 0;
  }
  /// From now on the shard whose request comes next is drawn.
  void reorder(std::uint64_t seed);
  /// The next `count` seals, or requests of no unit that want an answer, are refused as "full".
  void refuse(std::size_t count) noexcept { refusals_ = count; }
  void set_full(bool full) {
    full_ = full;
    if (!full) sink_.has_room_again();
  }
  [[nodiscard]] std::size_t waiting() const noexcept { return queue_.size(); }

  /// All changes that were asked for so far, in words: "PutOutgoing a #1 sent id=3".
  [[nodiscard]] const std::vector<std::string>& asked() const noexcept { return asked_; }
  /// How many of them begin with these words.
  [[nodiscard]] std::size_t count(std::string_view words) const;

  /// One step of the writer; false if there was nothing that it may do.
  bool step();

 private:
  struct Entry {
    std::uint32_t shard = 0;
    bool is_seal = false;
    store::Seal seal;
    store::Request request;
  };

  [[nodiscard]] std::size_t choose();
  [[nodiscard]] bool refuses() noexcept;
  void apply(Entry entry);

  store::AnswerSink& sink_;
  store::MemoryStore inner_;
  std::deque<Entry> queue_;
  std::vector<std::string> asked_;
  std::mt19937_64 random_;
  std::size_t allowed_ = 0;
  std::size_t refusals_ = 0;
  bool held_ = false;
  bool reorders_ = false;
  bool full_ = false;
};

}  // namespace linnet::test
