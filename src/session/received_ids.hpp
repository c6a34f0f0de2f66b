// The QoS 2 packet identifiers that a client has sent and not yet released (MQTT 5.0,
// section 4.3.3, method B): a PUBLISH with one of them is a repetition. Empty, it is one pointer's
// worth of memory.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "session/owed.hpp"
#include "session/peers.hpp"

namespace linnet::session {

class ReceivedIds {
 public:
  struct Entry {
    PacketId packet_id = 0;
    OperationId operation = 0;  // while its PUBREC has to wait
  };

  [[nodiscard]] Entry* find(PacketId packet_id) noexcept {
    if (!entries_) return nullptr;
    const auto at = place(packet_id);
    return at != entries_->end() && at->packet_id == packet_id ? &*at : nullptr;
  }
  void add(PacketId packet_id, OperationId operation) {
    if (!entries_) entries_ = std::make_unique<std::vector<Entry>>();
    entries_->insert(place(packet_id), Entry{packet_id, operation});
  }
  bool remove(PacketId packet_id) noexcept {
    if (find(packet_id) == nullptr) return false;
    entries_->erase(place(packet_id));
    if (entries_->empty()) entries_.reset();
    return true;
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    if (!entries_) return;
    for (const Entry& entry : *entries_)
      visit(entry);
  }
  [[nodiscard]] std::size_t size() const noexcept { return entries_ ? entries_->size() : 0; }
  void clear() noexcept { entries_.reset(); }

 private:
  [[nodiscard]] std::vector<Entry>::iterator place(PacketId packet_id) noexcept {
    return std::lower_bound(
        entries_->begin(), entries_->end(), packet_id,
        [](const Entry& entry, PacketId wanted) { return entry.packet_id < wanted; });
  }

  std::unique_ptr<std::vector<Entry>> entries_;
};

}  // namespace linnet::session
