#include "session/access.hpp"

#include "base/hash.hpp"

namespace linnet::session {

const auth::Decision& Access::decide(const auth::Request& request) {
  if (known_ && (*known_)[last_].is(request)) return (*known_)[last_].decision;
  const auth::Rules& rules = policy_->rules();
  if (request.topic.empty() || request.topic.size() > kTopicMax) {
    return unremembered_ = rules.decide(subject_, request);
  }
  if (!known_) known_ = std::make_unique<std::array<Known, kSlots>>();
  // As many topics as there are slots have one each; more of them take turns.
  const std::size_t home = hash64(request.topic) % kSlots;
  last_ = home;
  for (std::size_t step = 0; step < kSlots; ++step) {
    const std::size_t slot = (home + step) % kSlots;
    const Known& known = (*known_)[slot];
    // The ends first: that is where the topics of one client differ.
    if (known.topic.empty() || (known.topic.back() == request.topic.back() && known.is(request))) {
      last_ = slot;
      break;
    }
  }
  Known& known = (*known_)[last_];
  if (!known.is(request)) {
    known = {std::string(request.topic), request.action, request.qos, request.retain,
             rules.decide(subject_, request)};
  }
  return known.decision;
}

auth::Decision Access::decide_filter(std::string_view filter, bool shared, Qos qos) const {
  return policy_->rules().decide(subject_, {auth::Action::subscribe, filter, qos, false, shared});
}

}  // namespace linnet::session
