// A seeded workload for the store's tables: sessions that come and go, messages for several of
// them, in-flight windows, retained messages, names and payloads of all sizes. It knows only what
// it has asked for. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace linnet::faults {

/// Where requests go: an intake, or a store.
class Submitter {
 public:
  [[nodiscard]] virtual std::uint64_t next_request(std::uint32_t shard) = 0;
  virtual void submit(store::Request request) = 0;
  virtual void submit(const store::Seal& seal) = 0;
  virtual void erase_outgoing(std::uint32_t shard, const store::EraseOutgoing& erase,
                              store::Place place) = 0;

 protected:
  ~Submitter() = default;
};

class Workload {
 public:
  static constexpr std::uint32_t kShards = 2;

  Workload(std::uint64_t seed, Submitter& target) : random_(seed), target_(target) {}

  /// One step of some client.
  void step();
  /// All that was submitted is answered.
  void committed();

 private:
  struct Owed {
    std::uint64_t sequence = 0;
    std::uint64_t number = 0;
    store::OutgoingState state = store::OutgoingState::queued;
    store::Place place;
    bool committed = false;
  };
  struct Session {
    std::uint64_t next_sequence = 1;
    std::uint64_t next_number = 1;
    std::vector<Owed> owed;
    std::set<std::uint16_t> received;
    std::set<std::string> filters;
  };

  [[nodiscard]] std::uint64_t draw(std::uint64_t count) { return random_() % count; }
  [[nodiscard]] bool one_in(std::uint64_t count) { return draw(count) == 0; }
  [[nodiscard]] static std::uint32_t home(store::SessionNumber session) {
    return static_cast<std::uint32_t>(session % kShards);
  }
  [[nodiscard]] store::SessionNumber any_session();
  [[nodiscard]] std::string name(std::string_view kind, std::uint64_t count);
  [[nodiscard]] MessagePtr message(const std::string& topic, bool may_be_empty);
  void submit(std::uint32_t shard, store::Change change);

  void begin_session();
  void end_session();
  void change_session();
  void publish();
  void owe(store::Request& part, store::SessionNumber number, bool inflight);
  void go_on();
  void publish_retained();

  std::mt19937_64 random_;
  Submitter& target_;
  std::map<store::SessionNumber, Session> sessions_;
  store::SessionNumber next_session_ = 1;
  store::Ticket next_ticket_ = 1;
  store::UnitId next_unit_ = 1;
};

}  // namespace linnet::faults
