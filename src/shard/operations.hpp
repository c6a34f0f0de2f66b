// What waits for other shards or for the store's writer. An operation has parts; when it has been
// sealed and each part is answered, it is over, and whoever waits is told. One shard's thread only.
#pragma once

#include <vector>

#include "session/connection.hpp"
#include "shard/letter.hpp"

namespace linnet::shard {

/// A session that is owed a message which goes to the store.
struct OutgoingSave {
  session::SessionPtr session;
  std::uint64_t sequence = 0;
};

struct Operation {
  enum class Kind : std::uint8_t {
    free,
    connection,  // an acknowledgement of `connection` waits
    received,    // the PUBREC of a QoS 2 message of `session` waits
    relay,       // another shard waits for our part: `reply`
    saved,       // nobody waits but those in `saves`
    erasure,     // an administrator waits
    offered,     // `sequence` of `session` was offered to other members of its group
  };

  Kind kind = Kind::free;
  ReasonCode worst = ReasonCode::success;
  std::uint16_t packet_id = 0;
  bool is_unit = false;           // a publication: its records are sealed before it is over
  bool held = true;               // parts may still be added
  bool spreads_interest = false;  // all shards have to confirm before it is over
  std::uint32_t pending = 0;
  std::uint32_t receivers = 0;
  std::uint32_t durable_parts = 0;
  std::uint32_t generation = 0;
  store::UnitId unit = 0;
  std::uint64_t sequence = 0;
  ReturnAddress reply;
  session::ConnectionPtr connection;
  session::SessionPtr session;
  /// What one request has sent to the store: all of them are told its answer.
  std::vector<OutgoingSave> saves;
  MessagePtr retained;
  /// To be asked of all shards once the other parts are there.
  std::vector<OverlayQuestion> questions;
};

/// A table with stable names: index and generation, so that a late answer finds nothing.
class Operations {
 public:
  /// The new operation is held, and has no parts.
  OperationId open(Operation::Kind kind);
  /// Null if it is over.
  [[nodiscard]] Operation* find(OperationId id) noexcept;
  /// Forgets it and returns what it held.
  Operation close(OperationId id);
  [[nodiscard]] std::size_t open_count() const noexcept { return open_; }

 private:
  std::vector<Operation> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t open_ = 0;
};

}  // namespace linnet::shard
