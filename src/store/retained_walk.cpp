#include <string>

#include "base/topic.hpp"
#include "store/damage.hpp"
#include "store/filter_seek.hpp"
#include "store/reading.hpp"
#include "store/record.hpp"

namespace linnet::store {

namespace {

// A step is a tenth of a seek: where the next match is near, stepping is cheaper.
constexpr int kStepsBeforeSeek = 3;

class Walk {
 public:
  using Visit = FunctionRef<bool(const MessageView&)>;

  Walk(const Reading& reading, const RetainedQuery& query, Visit visit)
      : reading_(reading),
        query_(query),
        visit_(visit),
        cursor_(reading.transaction, Table::retained),
        seek_(query.filter) {}

  RetainedWalk run();

 private:
  using Look = FilterSeek::Look;
  using Onward = FilterSeek::Onward;

  Status begin();
  Status go(Onward onward);
  Look look();
  Look look_at_hashed();
  void show(const MessageView& message) { stopped_ = reading_.guard.hit() || !visit_(message); }
  void note_looked_at(std::string_view name) {
    last_ = name;
    last_known_ = true;
  }
  RetainedWalk result(bool done) const;

  const Reading& reading_;
  const RetainedQuery& query_;
  Visit visit_;
  Cursor cursor_;
  FilterSeek seek_;
  std::string topic_;      // scratch
  std::string_view last_;  // of a hashed key the topic, else the key; in the map
  bool last_known_ = true;
  bool stopped_ = false;
  bool exhausted_ = false;
  std::size_t looks_ = 0;
};

RetainedWalk Walk::run() {
  Status status = begin();
  while (status == Status::ok && !exhausted_) {
    // Behind a damaged record whose topic nobody knows, a walk could not be continued.
    if (looks_ >= query_.looks_max && last_known_) return result(false);
    ++looks_;
    const Look here = look();
    if (stopped_) return result(false);
    if (here.onward == Onward::done) break;
    status = go(here.onward);
  }
  if (!ended_well(reading_, status)) return {false, {}, looks_};
  return result(true);
}

RetainedWalk Walk::result(bool done) const {
  RetainedWalk walk{done, {}, looks_};
  if (done || reading_.guard.hit()) return walk;
  if (last_.empty()) {
    walk.last = query_.after;
  } else if (is_hashed(last_)) {
    walk.last = last_;
  } else {
    topic_of_key(last_, walk.last);
  }
  return walk;
}

/// To the first topic to look at. What `after` leads to is asked again, so that a walk in many
/// small parts skips as much as one in a single part.
Status Walk::begin() {
  if (query_.after.empty()) return cursor_.seek(seek_.start());
  const Key after = retained_key(query_.after, reading_.seeds);
  const auto onward = seek_.look(is_hashed(query_.after) ? query_.after : after.bytes()).onward;
  exhausted_ = onward == Onward::done;
  if (onward == Onward::seek && seek_.target() > after.bytes()) {
    return cursor_.seek(seek_.target());
  }
  const Status status = cursor_.seek(after.bytes());
  return status == Status::ok && cursor_.key() == after.bytes() ? cursor_.next() : status;
}

Status Walk::go(Onward onward) {
  if (onward == Onward::next) return cursor_.next();
  for (int step = 0; step < kStepsBeforeSeek; ++step) {
    const Status status = cursor_.next();
    if (status != Status::ok || cursor_.key() >= seek_.target()) return status;
  }
  return cursor_.seek(seek_.target());
}

FilterSeek::Look Walk::look() {
  const std::string_view key = cursor_.key();
  if (key.size() > kNameMax) return look_at_hashed();
  const Look look = seek_.look(key);
  if (look.matches) {
    MessageView message;
    if (read_retained_record(key, cursor_.value(), reading_.clock, topic_, message)) {
      show(message);
    } else {
      note_damage(reading_.damaged, Table::retained, key);
    }
  }
  if (!stopped_) note_looked_at(key);
  return look;
}

FilterSeek::Look Walk::look_at_hashed() {
  const std::string_view key = cursor_.key();
  MessageView message;
  if (!read_retained_record(key, cursor_.value(), reading_.clock, topic_, message)) {
    note_damage(reading_.damaged, Table::retained, key);
    last_known_ = false;
    return {false, Onward::next};
  }
  const Look look = seek_.look(message.topic);
  if (look.matches) show(message);
  if (!stopped_) note_looked_at(message.topic);
  return look;
}

RetainedWalk read_one(const Reading& reading, std::string_view wanted, Walk::Visit visit) {
  const Key key = retained_key(wanted, reading.seeds);
  std::string_view record;
  const Status status = reading.transaction.get(Table::retained, key.bytes(), record);
  if (!ended_well(reading, status)) return {false, {}, 1};
  if (status == Status::not_found) return {true, {}, 1};
  std::string topic;
  MessageView message;
  const bool whole = read_retained_record(key.bytes(), record, reading.clock, topic, message);
  if (reading.guard.hit()) return {false, {}, 1};
  if (!whole) {
    note_damage(reading.damaged, Table::retained, key.bytes());
    return {true, {}, 1};
  }
  return {message.topic != wanted || visit(message), {}, 1};
}

}  // namespace

RetainedWalk walk_retained(const Reading& reading, const RetainedQuery& query,
                           FunctionRef<bool(const MessageView&)> visit) {
  if (has_wildcard(query.filter)) return Walk(reading, query, visit).run();
  // A walk of one topic has no rest.
  if (!query.after.empty()) return {true, {}, 0};
  return read_one(reading, query.filter, visit);
}

}  // namespace linnet::store
