#include "store/intake.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace linnet::store {

namespace {

/// How many requests are moved while a shard may have to wait for its lane.
constexpr std::size_t kSlice = 256;

class Answers {
 public:
  void add(std::uint32_t shard, Ticket ticket, Outcome outcome) {
    if (ticket == 0) return;
    if (shard >= of_shard_.size()) of_shard_.resize(shard + std::size_t{1});
    of_shard_[shard].push_back({ticket, outcome});
  }
  void add(const Unit& unit, Outcome outcome) {
    for (const Request& part : unit.parts)
      add(part.shard, part.ticket, outcome);
    add(unit.shard, unit.ticket, outcome);
  }
  void send(AnswerSink& sink) const {
    for (std::size_t shard = 0; shard < of_shard_.size(); ++shard) {
      if (of_shard_[shard].empty()) continue;
      sink.answer(static_cast<std::uint32_t>(shard), of_shard_[shard]);
    }
  }

 private:
  std::vector<std::vector<Answer>> of_shard_;
};

[[nodiscard]] bool has_retained(const Request& request) noexcept {
  return std::any_of(request.changes.begin(), request.changes.end(), [](const Change& change) {
    return std::holds_alternative<PutRetained>(change);
  });
}

[[nodiscard]] Outcome outcome_of(const Seal& seal) noexcept {
  return seal.give_up ? Outcome::refused : Outcome::committed;
}

void answer_one(AnswerSink& sink, std::uint32_t shard, const Answer& answer) {
  if (answer.ticket != 0) sink.answer(shard, {&answer, 1});
}

std::vector<std::unique_ptr<Lane>> make_lanes(std::uint32_t shards) {
  std::vector<std::unique_ptr<Lane>> lanes(shards);
  for (auto& lane : lanes)
    lane = std::make_unique<Lane>();
  return lanes;
}

}  // namespace

void answer(AnswerSink& sink, const Batch& batch) {
  Answers answers;
  for (const Unit& unit : batch.units)
    answers.add(unit, unit.outcome);
  answers.send(sink);
}

void answer_accepted(AnswerSink& sink, Batch& batch) {
  Answers answers;
  for (Unit& unit : batch.units) {
    if (unit.outcome == Outcome::refused) continue;
    for (Request& part : unit.parts) {
      const bool barrier = part.lazy && part.outgoing.empty() && part.changes.empty();
      const bool is_read = barrier || !part.outgoing.empty() || has_retained(part);
      answers.add(part.shard, part.ticket, is_read ? Outcome::accepted : Outcome::committed);
      if (!is_read) part.ticket = 0;
    }
    answers.add(unit.shard, unit.ticket, Outcome::committed);
    unit.ticket = 0;
  }
  answers.send(sink);
}

Intake::Intake(std::uint32_t shards, const IntakeLimits& limits, AnswerSink& sink)
    : limits_(limits), sink_(sink), lanes_(make_lanes(shards)), contested_(shards) {
  LINNET_ASSERT(shards > 0);
}

Intake::~Intake() = default;

std::uint64_t Intake::next_request(std::uint32_t shard) const noexcept {
  return lanes_[shard]->next;
}

void Intake::submit(Request&& request) {
  LINNET_ASSERT(request.shard < lanes_.size());
  Lane& lane = *lanes_[request.shard];
  Slot slot;
  const std::size_t bytes = bytes_of(request);
  slot.bytes = static_cast<std::uint32_t>(std::min<std::size_t>(bytes, UINT32_MAX));
  slot.open = static_cast<std::uint32_t>(
      std::count_if(request.outgoing.begin(), request.outgoing.end(),
                    [](const PutOutgoing& put) { return !put.taken_back; }));
  Urgency urgency = request.ticket != 0 ? Urgency::urgent : Urgency::lazy;
  slot.body = std::make_unique<Request>(std::move(request));
  const std::uint64_t number = lane.next++;
  {
    const std::lock_guard lock(lane.mutex);
    LINNET_ASSERT(number == lane.end());
    const Request& body = *slot.body;
    if (body.unit != 0) urgency = units_.add_part(body, number, bytes);
    lane.push(std::move(slot));
  }
  lane.turn = std::max(lane.turn, urgency);
}

void Intake::submit(const Seal& seal) {
  LINNET_ASSERT(seal.unit != 0 && seal.shard < lanes_.size());
  const UnitTable::Step step = units_.add_seal(seal);
  Lane& lane = *lanes_[seal.shard];
  lane.turn = std::max(lane.turn, step.urgency);
  if (step.seal) answer_one(sink_, seal.shard, {seal.ticket, outcome_of(seal)});
}

struct Intake::Farewell {
  Slot slot;  // with a body: freed without the lane's lock, and its ticket is answered
  std::optional<Seal> seal;
};

void Intake::erase_outgoing(std::uint32_t shard, const EraseOutgoing& erase, Place place) {
  Lane& lane = *lanes_[shard];
  Farewell farewell;
  {
    const std::lock_guard lock(lane.mutex);
    bool passed = false;
    Slot* slot = place.request == 0 ? nullptr : lane.find(place.request, passed);
    bool erases = slot == nullptr;
    if (slot != nullptr) {
      LINNET_ASSERT(place.index < slot->body->outgoing.size());
      PutOutgoing& out = slot->body->outgoing[place.index];
      LINNET_ASSERT(!out.taken_back && out.session == erase.session &&
                    out.sequence == erase.sequence);
      out.taken_back = true;
      lane.taken_back.fetch_add(1, std::memory_order_relaxed);
      // It got its place in the window, or moved on in it, by a change that is written all the
      // same, since it stands behind the message or even overtook it.
      const bool moved = out.number != erase.number || (passed && out.qos == Qos::exactly_once);
      erases = erase.number != 0 && moved;
      --slot->open;
      leave_if_empty(lane, place.request, passed, farewell);
    }
    if (erases) {
      lane.push(erase);
      lane.turn = std::max(lane.turn, Urgency::lazy);
    }
  }
  if (!farewell.slot.body) return;
  answer_one(sink_, shard, {farewell.slot.body->ticket, Outcome::committed});
  if (farewell.seal) {
    const Seal& seal = *farewell.seal;
    answer_one(sink_, seal.shard, {seal.ticket, outcome_of(seal)});
  }
  tell_of_room();
}

/// Moves a request of which nothing is left out of its lane, whose mutex is held.
void Intake::leave_if_empty(Lane& lane, std::uint64_t number, bool passed, Farewell& farewell) {
  const Slot& slot = passed ? lane.passed.find(number)->second : lane.at(number);
  const Request& body = *slot.body;
  if (slot.open != 0 || !body.changes.empty()) return;
  if (body.unit != 0) {
    const auto step = units_.drop_part(body.unit, {body.shard, passed, number});
    // Its unit is on the way to the writer, who takes the part next and answers it.
    if (!step) return;
    lane.turn = std::max(lane.turn, step->urgency);
    farewell.seal = step->seal;
  }
  farewell.slot = lane.pull(number);
}

bool Intake::has_room() const noexcept {
  if (!is_full(use())) return true;
  // Said before the second look, so that whoever makes room after that look sees it.
  if (!refused_.load()) refused_.store(true);
  return !is_full(use());
}

LaneUse Intake::use() const noexcept {
  LaneUse sum;
  for (const auto& lane : lanes_) {
    const LaneUse one = lane->use();
    sum.requests += one.requests;
    sum.bytes += one.bytes;
  }
  return sum;
}

bool Intake::is_full(const LaneUse& use) const noexcept {
  return use.requests >= limits_.requests_max || use.bytes >= limits_.bytes_max;
}

void Intake::tell_of_room() {
  if (!refused_.load()) return;
  const LaneUse now = use();
  if (now.requests > limits_.requests_max / 2 || now.bytes > limits_.bytes_max / 2) return;
  if (refused_.exchange(false)) sink_.has_room_again();
}

std::uint64_t Intake::taken_back() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& lane : lanes_)
    sum += lane->taken_back.load(std::memory_order_relaxed);
  return sum;
}

struct Intake::Taking {
  struct Item {
    Slot slot;  // a request of no unit, and its number
    std::uint64_t number = 0;
    UnitTable::Taken unit;  // if the slot is empty
  };

  [[nodiscard]] bool is_full() const noexcept { return units == limits.units_max; }
  /// What the next unit may have; the first one may have any size.
  [[nodiscard]] std::size_t bytes_left() const noexcept {
    if (batch.bytes == 0) return SIZE_MAX;
    return limits.bytes_max - std::min(batch.bytes, limits.bytes_max);
  }
  void count(std::size_t bytes) noexcept {
    ++units;
    batch.bytes += bytes;
  }

  const TakeLimits& limits;
  Batch batch;
  std::size_t units = 0;
  std::vector<Item> items;  // of one slice
};

Batch Intake::take(const TakeLimits& limits) {
  Taking taking{limits, {}, 0, {}};
  left_over_ = false;
  constexpr std::size_t kReserveMax = 4'096;
  taking.batch.units.reserve(std::min({use().requests, limits.units_max, kReserveMax}));
  take_units(taking);
  const auto lanes = static_cast<std::uint32_t>(lanes_.size());
  std::vector<std::uint64_t> ends(lanes);  // what comes from now on is for the next time
  for (std::uint32_t shard = 0; shard < lanes; ++shard) {
    const std::lock_guard lock(lanes_[shard]->mutex);
    ends[shard] = lanes_[shard]->end();
  }
  for (bool more = true; more && !left_over_;) {
    more = false;
    for (std::uint32_t at = 0; at < lanes && !left_over_; ++at) {
      const std::uint32_t shard = (first_lane_ + at) % lanes;
      if (limits.shard && *limits.shard != shard) continue;
      const Slice slice = take_slice(taking, shard, ends[shard]);
      left_over_ = slice == Slice::full;
      more = more || slice == Slice::more;
    }
  }
  first_lane_ = (first_lane_ + 1) % lanes;
  took_nothing_ = taking.batch.empty();
  tell_of_room();
  return std::move(taking.batch);
}

/// The units that became complete after the writer had come to all of their parts.
void Intake::take_units(Taking& taking) {
  bool no_room = false;
  if (taking.limits.shard) {
    for (const UnitId unit : units_.find_complete(*taking.limits.shard)) {
      if (taking.is_full()) return;
      const UnitTable::Taken taken = units_.take(unit, taking.bytes_left(), no_room);
      if (!taken) return;
      taking.count(taken.mapped().bytes);
      emit(taking, taken.mapped());
    }
    return;
  }
  while (!taking.is_full()) {
    const UnitTable::Taken taken = units_.take_ready(taking.bytes_left(), no_room);
    left_over_ = no_room;
    if (!taken) return;
    taking.count(taken.mapped().bytes);
    emit(taking, taken.mapped());
  }
  left_over_ = true;
}

Intake::Slice Intake::take_slice(Taking& taking, std::uint32_t shard, std::uint64_t end) {
  Lane& lane = *lanes_[shard];
  taking.items.clear();
  bool full = false;
  bool more = false;
  {
    const std::lock_guard lock(lane.mutex);
    LaneUse out;
    for (std::size_t step = 0; step < kSlice && lane.first < end && !full; ++step)
      full = !take_front(taking, shard, out);
    std::size_t erasures = 0;
    const auto is_next = [&] {
      return !lane.erased.empty() && lane.erased.front().behind <= lane.first;
    };
    for (; erasures < kSlice && is_next() && taking.bytes_left() >= kRecordBytes; ++erasures) {
      taking.batch.erased.push_back(lane.erased.front().erase);
      taking.batch.bytes += kRecordBytes;
      lane.erased.pop_front();
    }
    full = full || (is_next() && taking.bytes_left() < kRecordBytes);
    more = lane.first < end || is_next();
    lane.count_out({out.requests + erasures, out.bytes + erasures * kRecordBytes});
  }
  for (Taking::Item& item : taking.items) {
    if (item.slot.body) {
      emit(taking, shard, item.number, std::move(item.slot));
    } else {
      emit(taking, item.unit.mapped());
    }
  }
  return full ? Slice::full : more ? Slice::more : Slice::done;
}

/// One step in a lane whose mutex is held; false if there is no room for what comes next.
bool Intake::take_front(Taking& taking, std::uint32_t shard, LaneUse& out) {
  Lane& lane = *lanes_[shard];
  Slot& slot = lane.slots.front();
  const std::uint64_t number = lane.first;
  if (!slot.body) {
    lane.drop_front();
    return true;
  }
  if (taking.is_full()) return false;
  if (slot.body->unit == 0) {
    if (slot.bytes > taking.bytes_left()) return false;
    taking.count(slot.bytes);
    ++out.requests;
    out.bytes += slot.bytes;
    taking.items.push_back({std::move(slot), number, {}});
  } else {
    UnitTable::Taken taken;
    const auto reached = units_.reach(slot.body->unit, {shard, true, number}, taking.bytes_left(),
                                      taking.limits.shard, taken);
    if (reached == UnitTable::Reached::no_room) return false;
    if (reached == UnitTable::Reached::aside) {
      contest(shard, slot);
    } else {
      taking.count(taken.mapped().bytes);
      taking.items.push_back({{}, 0, std::move(taken)});
    }
    lane.passed.emplace(number, std::move(slot));
  }
  lane.slots.pop_front();
  ++lane.first;
  return true;
}

void Intake::emit(Taking& taking, std::uint32_t shard, std::uint64_t number, Slot slot) {
  settle(shard, number, slot, true);
  taking.batch.units.emplace_back().parts.push_back(std::move(*slot.body));
}

void Intake::emit(Taking& taking, const UnitState& state) {
  Unit& unit = taking.batch.units.emplace_back();
  unit.shard = state.seal.shard;
  unit.ticket = state.seal.ticket;
  unit.outcome = outcome_of(state.seal);
  for (const PartPlace& part : state.parts) {
    Slot slot = pull(part.shard, part.number);
    settle(part.shard, part.number, slot, !state.seal.give_up);
    unit.parts.push_back(std::move(*slot.body));
  }
}

Slot Intake::pull(std::uint32_t shard, std::uint64_t number) {
  Lane& lane = *lanes_[shard];
  const std::lock_guard lock(lane.mutex);
  // It may overtake others in its lane if only the units of one shard are taken.
  for (std::uint64_t earlier = lane.first; earlier < number; ++earlier)
    contest(shard, lane.at(earlier));
  return lane.pull(number);
}

void Intake::contest(std::uint32_t shard, Slot& slot) {
  if (!slot.body || slot.contested) return;
  slot.contested = true;
  for (const Change& change : slot.body->changes) {
    if (const auto* put = std::get_if<PutRetained>(&change))
      ++contested_[shard][std::string(put->message->topic())].pending;
  }
}

/// The changes of a request that are outdated go; the others are the last of their topics from now
/// on, if the request `applies`.
void Intake::settle(std::uint32_t shard, std::uint64_t number, Slot& slot, bool applies) {
  ContestedTopics& contested = contested_[shard];
  if (contested.empty()) return;
  auto& changes = slot.body->changes;
  for (auto change = changes.begin(); change != changes.end();) {
    const auto* put = std::get_if<PutRetained>(&*change);
    const auto found = put == nullptr ? contested.end() : contested.find(put->message->topic());
    if (found == contested.end()) {
      ++change;
      continue;
    }
    const bool outdated = number < found->second.applied;
    if (applies && !outdated) found->second.applied = number;
    if (slot.contested && --found->second.pending == 0) contested.erase(found);
    change = applies && outdated ? changes.erase(change) : change + 1;
  }
}

}  // namespace linnet::store
