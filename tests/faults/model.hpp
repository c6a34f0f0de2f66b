// What a store must hold: a plain model of its tables that batches are applied to, and the contents
// of a model or of a database as text, line by line the same if they hold the same. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "store/database.hpp"
#include "store/intake.hpp"

namespace linnet::faults {

class Model {
 public:
  /// What becomes true with a batch that is committed.
  void apply(const store::Batch& batch);
  [[nodiscard]] std::string text() const;

 private:
  struct Outgoing {
    std::string message;
    std::size_t bytes;  // owed_bytes()
  };
  struct Session {
    std::string head;
    std::optional<std::string> will;
    std::map<std::string, std::string> subscriptions;
    std::set<std::uint16_t> received;
    std::map<std::uint64_t, std::pair<std::uint64_t, store::OutgoingState>> inflight;
    std::map<std::uint64_t, Outgoing> outgoing;
  };

  void apply(const store::PutSession& put);
  void apply(const store::EraseSession& erase);
  void apply(const store::PutWill& put);
  void apply(const store::EraseWill& erase);
  void apply(const store::PutSubscription& put);
  void apply(const store::EraseSubscription& erase);
  void apply(const store::PutInflight& put);
  void apply(const store::PutReceived& put);
  void apply(const store::EraseReceived& erase);
  void apply(const store::PutRetained& put);
  void apply(const store::Request& request);
  [[nodiscard]] Session* find(store::SessionNumber session);

  std::map<store::SessionNumber, Session> sessions_;
  std::map<std::string, std::string> retained_;
};

[[nodiscard]] std::string text_of(const store::Database& database);

}  // namespace linnet::faults
