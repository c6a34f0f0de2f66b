#include "store/batch.hpp"

#include <algorithm>
#include <iterator>

#include "store/lane.hpp"

namespace linnet::store {

namespace {

struct GrowthOf {
  SessionNumber next_session = 0;

  Growth operator()(const PutSession& put) const noexcept {
    return put.session >= next_session ? Growth::grows : Growth::moves;
  }
  Growth operator()(const PutRetained& put) const noexcept {
    return put.message->payload().empty() ? Growth::shrinks : Growth::grows;
  }
  Growth operator()(const PutWill& /*put*/) const noexcept { return Growth::moves; }
  Growth operator()(const PutInflight& /*put*/) const noexcept { return Growth::moves; }
  Growth operator()(const PutSubscription& /*put*/) const noexcept { return Growth::grows; }
  Growth operator()(const PutReceived& /*put*/) const noexcept { return Growth::grows; }
  Growth operator()(const EraseSession& /*erase*/) const noexcept { return Growth::shrinks; }
  Growth operator()(const EraseWill& /*erase*/) const noexcept { return Growth::shrinks; }
  Growth operator()(const EraseSubscription& /*erase*/) const noexcept { return Growth::shrinks; }
  Growth operator()(const EraseReceived& /*erase*/) const noexcept { return Growth::shrinks; }
};

template <class Item>
void append_items(std::vector<Item>& items, std::vector<Item>& more) {
  if (items.empty()) {
    items.swap(more);
  } else {
    items.insert(items.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
  }
}

}  // namespace

Growth growth_of(const Unit& unit, SessionNumber next_session) noexcept {
  if (unit.outcome == Outcome::refused) return Growth::shrinks;
  Growth growth = Growth::shrinks;
  for (const Request& part : unit.parts) {
    for (const PutOutgoing& put : part.outgoing) {
      if (!put.taken_back) return Growth::grows;
    }
    for (const Change& change : part.changes)
      growth = std::max(growth, std::visit(GrowthOf{next_session}, change));
  }
  return growth;
}

bool is_awaited(const Unit& unit) noexcept {
  return unit.ticket != 0 || std::any_of(unit.parts.begin(), unit.parts.end(),
                                         [](const Request& part) { return part.ticket != 0; });
}

void append(Batch& batch, Batch&& more) {
  append_items(batch.units, more.units);
  append_items(batch.erased, more.erased);
  batch.bytes += more.bytes;
}

std::size_t bytes_of(const Batch& batch) noexcept {
  std::size_t bytes = batch.erased.size() * kRecordBytes;
  for (const Unit& unit : batch.units) {
    for (const Request& part : unit.parts)
      bytes += bytes_of(part);
  }
  return bytes;
}

BatchSummary summary_of(const Batch& batch) noexcept {
  BatchSummary summary;
  for (const Unit& unit : batch.units) {
    if (unit.outcome != Outcome::committed) continue;
    for (const Request& part : unit.parts) {
      for (const PutOutgoing& put : part.outgoing)
        summary.outgoing += put.taken_back ? 0 : 1;
      for (const Change& change : part.changes) {
        if (const auto* put = std::get_if<PutSession>(&change))
          summary.last_session = std::max(summary.last_session, put->session);
      }
    }
  }
  return summary;
}

}  // namespace linnet::store
