// What the writer keeps in memory: of sessions between its transactions, so that it reads their
// totals once, and room that a batch reuses. The writer's thread only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "store/record.hpp"
#include "store/store.hpp"

namespace linnet::store {

/// A session as it is after the changes so far.
struct SessionState {
  bool exists = false;
  bool owed_changed = false;
  OwedTotals owed;
};

/// A topic whose retained message a batch changes.
struct RetainedChange {
  std::string_view topic;
  const Message* message = nullptr;  // the last one; null: nothing is changed after all
  std::uint64_t bytes = 0;           // that it counts for; 0: there is none
  bool stored = false;               // there is one in the store
  std::uint64_t stored_expiry = 0;   // of that one, in the store's time; 0: never, or unknown
};

struct WriteScratch {
  // From one transaction to the next
  boost::unordered_flat_map<SessionNumber, SessionState> sessions;
  std::uint64_t next_expiry = 0;  // in the store's time; 0: nothing expires
  bool doomed = false;            // ended sessions are left

  // Within one
  std::vector<SessionNumber> owed_changed;
  boost::unordered_flat_map<std::uint64_t, std::uint64_t> dropped;  // references, by body
  std::vector<std::pair<std::uint64_t, std::uint64_t>> dropped_in_order;
  boost::unordered_flat_map<std::string_view, std::size_t> retained_at;
  std::vector<RetainedChange> retained;
  std::vector<std::pair<std::size_t, RetainedChange>> retained_before;
  std::string record;
  std::string topic;

  void end_transaction() {
    owed_changed.clear();
    dropped.clear();
    retained_at.clear();
    retained.clear();
  }
};

}  // namespace linnet::store
