// A store for a broker that is asked for nothing durable: sessions that end with their connections,
// no retained messages. Whatever it should keep ends the process.
#pragma once

#include <cstdint>

#include "store/store.hpp"
#include "wire.hpp"

namespace linnet::bench {

class NoStore final : public store::Store {
 public:
  [[nodiscard]] store::SessionNumber new_session() noexcept override { return ++sessions_; }
  [[nodiscard]] std::uint64_t next_request(std::uint32_t) const noexcept override { return 1; }
  void submit(store::Request) override { fail("there is no store that keeps something"); }
  void submit(const store::Seal&) override { fail("there is no store that keeps something"); }
  void erase_outgoing(std::uint32_t, const store::EraseOutgoing&, store::Place) override {}
  void end_turn(std::uint32_t) noexcept override {}
  [[nodiscard]] bool has_room() const noexcept override { return true; }
  [[nodiscard]] bool accepts() const noexcept override { return true; }
  store::RetainedWalk read_retained(const store::RetainedQuery&,
                                    FunctionRef<bool(const MessageView&)>) const override {
    return {.done = true, .last = {}, .looks = 0};
  }
  bool read_outgoing(store::SessionNumber, std::uint64_t, std::uint64_t,
                     FunctionRef<bool(const store::StoredOutgoing&)>) const override {
    return true;
  }
  bool read_inflight(store::SessionNumber,
                     FunctionRef<void(const store::StoredInflight&)>) const override {
    return true;
  }
  bool read_received(store::SessionNumber, FunctionRef<void(std::uint16_t)>) const override {
    return true;
  }
  void load_sessions(FunctionRef<void(const store::StoredSession&)>) const override {}
  [[nodiscard]] store::StoreFigures figures() const override { return {}; }

 private:
  store::SessionNumber sessions_ = 0;
};

}  // namespace linnet::bench
