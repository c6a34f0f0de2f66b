#include <algorithm>

#include "store/table_writer.hpp"

namespace linnet::store {

namespace {

// Sessions whose totals are kept in memory between transactions.
constexpr std::size_t kSessionsKept = 16'384;
constexpr std::uint64_t kRecordBytes = 200;
constexpr std::uint64_t kPageBytes = 4'096;
// What any transaction writes besides its records: copies of pages on the way to them.
constexpr std::uint64_t kTransactionBytes = 16 * kPageBytes;

/// What a batch asks of the disk, roughly.
struct Need {
  SessionNumber next_session = 0;
  bool any = false;    // there is something to do
  bool adds = false;   // there is something to write
  bool grows = false;  // the store may become larger by it, and stay so
  std::uint64_t bytes = kTransactionBytes;

  void record(std::uint64_t content_bytes) {
    any = true;
    adds = true;
    bytes += kRecordBytes + content_bytes + (content_bytes > kPageBytes / 4 ? kPageBytes : 0);
  }
  void grow(std::uint64_t content_bytes) {
    record(content_bytes);
    grows = true;
  }
  // On a full disk, too, a client that is known may come back, and go.
  void add(const PutSession& put) {
    record(put.client_id.size() + put.user_name.size());
    grows = grows || put.session >= next_session;
  }
  void add(const PutWill& put) {
    record(put.message->memory_bytes());
    grows = grows || put.message->memory_bytes() > kPageBytes;
  }
  void add(const PutSubscription& put) { grow(put.filter.size()); }
  void add(const PutReceived& /*put*/) { grow(0); }
  void add(const PutRetained& put) {
    any = true;
    if (!put.message->payload().empty()) grow(put.message->memory_bytes());
  }
  // The rest makes room, or is small and leads to it.
  template <class Other>
  void add(const Other& /*other*/) {
    any = true;
  }
};

Need need_of(const Batch& batch, SessionNumber next_session) {
  Need need;
  need.next_session = next_session;
  need.any = !batch.erased.empty();
  for (const Unit& unit : batch.units) {
    if (unit.outcome == Outcome::refused) continue;
    bool message_counted = false;
    for (const Request& part : unit.parts) {
      for (const PutOutgoing& put : part.outgoing) {
        if (put.taken_back) continue;
        need.grow(message_counted ? 0 : part.message->memory_bytes());
        message_counted = true;
      }
      for (const Change& change : part.changes) {
        std::visit([&need](const auto& step) { need.add(step); }, change);
      }
    }
  }
  return need;
}

}  // namespace

Status Database::write(Batch& batch) {
  if (!environment_) return Status::failed;
  const MapGuard guard;
  const Need need = need_of(batch, meta_.next_session);
  if (!need.any) return Status::ok;
  if (need.adds) {
    const Status status = environment_->prepare_space(need.bytes, need.grows);
    if (status != Status::ok) return status;
  }
  const Status status = write_all(batch);
  if (status == Status::ok) return status;
  for (Unit& unit : batch.units) {
    if (unit.outcome == Outcome::full) unit.outcome = Outcome::committed;
  }
  return status;
}

Status Database::write_all(Batch& batch) {
  const MapGuard guard;
  Transaction transaction;
  const Status status = environment_->begin_write(transaction);
  if (status != Status::ok) return status;
  Meta meta = meta_;
  meta.clock = clock_.mark();
  TableWriter writer({transaction, *scratch_, meta, clock_, options_, damaged_});
  for (Unit& unit : batch.units)
    writer.write(unit);
  for (const EraseOutgoing& erase : batch.erased)
    writer.erase(erase);
  writer.finish();
  return finish(writer, transaction, guard, meta);
}

Status Database::finish(const TableWriter& writer, Transaction& transaction, const MapGuard& guard,
                        const Meta& meta) {
  Status status = writer.status();
  if (status == Status::not_found || status == Status::exists) status = Status::damaged;
  if (status == Status::ok && guard.hit()) status = Status::damaged;
  if (status == Status::ok && writer.changed()) status = transaction.commit();
  transaction.abort();
  scratch_->end_transaction();
  if (status == Status::ok) {
    committed(meta);
    if (scratch_->sessions.size() > kSessionsKept) scratch_->sessions.clear();
    return status;
  }
  // What is in memory is ahead of the store now: it is read again. An entry too much in what is
  // to be swept costs a look.
  scratch_->sessions.clear();
  scratch_->doomed = true;
  scratch_->next_expiry = 1;
  return status;
}

void Database::committed(const Meta& meta) noexcept {
  meta_.next_body = meta.next_body;
  meta_.next_session = meta.next_session;
  meta_.retained_messages = meta.retained_messages;
  meta_.retained_bytes = meta.retained_bytes;
  meta_.clock = meta.clock;
  retained_messages_ = meta.retained_messages;
  retained_bytes_ = meta.retained_bytes;
}

}  // namespace linnet::store
