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
  last_ = hash64(request.topic) % kSlots;
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
