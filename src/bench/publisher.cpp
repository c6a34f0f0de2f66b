#include "bench/publisher.hpp"

#include <algorithm>
#include <cstring>

#include "base/bytes.hpp"
#include "base/cat.hpp"

namespace linnet::bench {

namespace {

constexpr std::uint8_t kPuback = 0x40;
constexpr std::uint8_t kPubrec = 0x50;
constexpr std::uint8_t kPubrel = 0x62;
constexpr std::uint8_t kPubcomp = 0x70;

/// What all publishers together may have built and not sent.
constexpr std::size_t kBatchesBytes = 64 << 20;
constexpr std::size_t kBatchBytesMin = 16 << 10;
constexpr std::size_t kBatchBytesMax = 256 << 10;

}  // namespace

PublishOrder publish_order(const Settings& settings) noexcept {
  PublishOrder order;
  order.qos = settings.qos;
  order.payload = settings.payload;
  order.inflight = settings.inflight;
  order.batch_bytes =
      std::clamp(kBatchesBytes / settings.publishers, kBatchBytesMin, kBatchBytesMax);
  order.seed = settings.seed;
  if (settings.rate > 0) {
    order.interval_ns = std::max<std::uint64_t>(kSecondNs * settings.publishers / settings.rate, 1);
  }
  return order;
}

Publisher::Publisher(const Place& place, Crowd& crowd, Traffic& traffic, const PublishOrder& order,
                     std::uint32_t number)
    : Client(place, crowd, "publisher", number),
      traffic_(traffic),
      order_(order),
      streams_(traffic.plan().streams_of[number]),
      random_(order.seed + number + 1) {
  forms_.reserve(streams_.size());
  for (const std::uint32_t stream : streams_) {
    forms_.push_back(
        publish_form({traffic.plan().streams[stream].topic, order.qos, order.retain, place.version},
                     order.payload));
  }
  at_ = streams_.empty() ? 0 : choose();
}

void Publisher::on_connack(const ConnackAnswer& answer) {
  if (answer.qos_max < static_cast<std::uint8_t>(order_.qos))
    return fail(cat("allows QoS ", answer.qos_max, " at most"));
  std::size_t head_max = 0;
  for (const PublishForm& form : forms_)
    head_max = std::max(head_max, form.head.size());
  if (answer.packet_size_max > 0 && head_max + order_.payload > answer.packet_size_max)
    return fail(cat("takes packets of ", answer.packet_size_max, " bytes at most"));
  if (order_.qos != Qos::at_most_once) {
    window_ = std::min<std::uint32_t>(order_.inflight, answer.receive_maximum);
    ids_.assign(window_ + 1, Id::free);
    stream_of_.assign(window_ + 1, 0);
    free_ids_.clear();
    for (std::uint32_t id = window_; id > 0; --id)
      free_ids_.push_back(static_cast<std::uint16_t>(id));
  }
  note_ready();
}

std::uint32_t Publisher::choose() {
  if (traffic_.plan().random) return static_cast<std::uint32_t>(random_.below(streams_.size()));
  return at_ + 1 < streams_.size() ? at_ + 1 : 0;
}

bool Publisher::may_begin(std::uint64_t now) const noexcept {
  if (left_ == 0 || !is_open() || is_blocked()) return false;
  if (order_.interval_ns > 0) return due_ns_ <= now;
  if (order_.qos != Qos::at_most_once && free_count() < (window_ + 7) / 8) return false;
  return traffic_.is_worth_while(number());
}

void Publisher::refill(std::uint64_t now) {
  if (!may_begin(now)) return;
  std::vector<char>& room = loop().write_room();
  const std::size_t needed = order_.batch_bytes + loop().packet_max();
  if (room.size() < needed) room.resize(needed);
  std::size_t size = 0;
  while (left_ > 0 && size < order_.batch_bytes) {
    if (order_.qos != Qos::at_most_once && free_ids_.empty()) break;
    if (order_.interval_ns > 0 && due_ns_ > now) break;
    const std::uint32_t stream = streams_[at_];
    if (!traffic_.has_room(number(), stream)) break;
    size += append(stream, order_.interval_ns > 0 ? due_ns_ : now, room.data() + size);
    due_ns_ += order_.interval_ns;
    --left_;
    at_ = choose();
  }
  if (size == 0) return;
  send({room.data(), size});
  // A batch that was too small for all that may go: more at once.
  if (size >= order_.batch_bytes) traffic_.touch(number());
}

std::size_t Publisher::append(std::uint32_t stream, std::uint64_t time_ns, char* target) {
  const PublishForm& form = forms_[at_];
  const std::size_t head = form.head.size();
  std::memcpy(target, form.head.data(), head);
  if (form.packet_id_at > 0) {
    const std::uint16_t packet_id = free_ids_.back();
    free_ids_.pop_back();
    ids_[packet_id] = Id::published;
    stream_of_[packet_id] = stream;
    Writer(target + form.packet_id_at).u16(packet_id);
  }
  char* const payload = target + head;
  const std::uint32_t number_of_message = traffic_.book(number(), stream);
  const std::size_t stamped = std::min<std::size_t>(order_.payload, 16);
  std::memset(payload, 'x', stamped);
  write_stamp(payload, {stream, number_of_message, time_ns}, order_.payload);
  std::memset(payload + stamped, 'x', order_.payload - stamped);
  return head + order_.payload;
}

std::size_t Publisher::on_bytes(std::string_view bytes) {
  std::vector<char>& answers = loop().write_room();
  if (answers.size() < bytes.size()) answers.resize(bytes.size());
  std::size_t answers_size = 0;
  std::size_t taken = 0;
  while (loop().fault().empty()) {
    const Found found = scan(bytes.substr(taken), loop().packet_max());
    if (found.state == Scan::incomplete) break;
    if (found.state == Scan::bad) {
      fail("has sent a broken packet");
      break;
    }
    answers_size += on_ack(found, answers.data() + answers_size);
    taken += found.size;
  }
  if (answers_size > 0) send({answers.data(), answers_size});
  return taken;
}

std::size_t Publisher::on_ack(const Found& found, char* answer) {
  const std::uint8_t type = found.first_byte;
  if (type != kPuback && type != kPubrec && type != kPubcomp) {
    on_other_packet(type, found.body);
    return 0;
  }
  const AckAnswer ack = read_ack(found.body, version());
  const bool first = type != kPubcomp;
  const Id due = first ? Id::published : Id::released;
  const bool fits = (type == kPuback) == (order_.qos == Qos::at_least_once);
  if (!fits || ack.packet_id == 0 || ack.packet_id >= ids_.size() || ids_[ack.packet_id] != due) {
    fail("has acknowledged what was not sent");
    return 0;
  }
  if (type != kPubrec || failed(ack.reason)) {
    release(ack.packet_id, ack.reason);
    return 0;
  }
  ids_[ack.packet_id] = Id::released;
  Writer writer(answer);
  writer.u8(kPubrel);
  writer.u8(2);
  writer.u16(ack.packet_id);
  return 4;
}

void Publisher::release(std::uint16_t packet_id, ReasonCode reason) {
  ids_[packet_id] = Id::free;
  free_ids_.push_back(packet_id);
  if (failed(reason)) {
    traffic_.refuse(number(), stream_of_[packet_id], reason);
  } else {
    traffic_.acknowledge(number());
  }
}

}  // namespace linnet::bench
