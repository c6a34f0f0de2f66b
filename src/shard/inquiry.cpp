#include "shard/inquiry.hpp"

#include <algorithm>
#include <iterator>

namespace linnet::shard {

std::pair<std::uint64_t, std::string_view> place_of(const Question& question,
                                                    const session::SessionFacts& one) noexcept {
  if (question.order == Question::Order::by_id) return {0, one.client_id};
  return {~(one.outbox_bytes + one.backlog_bytes + one.dropped), one.client_id};
}

void Inquiry::leave() {
  alone_.store(true, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  waker_ = nullptr;
}

void Inquiry::answer(Findings findings) {
  const std::lock_guard lock(mutex_);
  findings_.counters += findings.counters;
  findings_.matching += findings.matching;
  findings_.connected += findings.connected;
  findings_.ended += findings.ended;
  findings_.erased += findings.erased;
  findings_.refused += findings.refused;
  findings_.partial = findings_.partial || findings.partial;
  std::move(findings.sessions.begin(), findings.sessions.end(),
            std::back_inserter(findings_.sessions));
  if (--left_ > 0 || waker_ == nullptr) return;
  std::exchange(waker_, nullptr)->wake();
}

bool Inquiry::complete() {
  const std::lock_guard lock(mutex_);
  return left_ == 0;
}

Findings Inquiry::take() {
  const std::lock_guard lock(mutex_);
  Findings findings = std::exchange(findings_, {});
  auto& sessions = findings.sessions;
  std::sort(sessions.begin(), sessions.end(), [this](const auto& one, const auto& other) {
    return place_of(question_, one) < place_of(question_, other);
  });
  if (sessions.size() > question_.limit) sessions.resize(question_.limit);
  return findings;
}

}  // namespace linnet::shard
