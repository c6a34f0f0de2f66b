// `linnet pub`, `linnet sub` and `linnet rr`, from their settings to their exit code. They block
// until they are done or interrupted (SIGINT, SIGTERM: DISCONNECT, and 0). One thread.
#pragma once

#include "pubsub/options.hpp"

namespace linnet::pubsub {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
/// -W has passed before what was waited for.
inline constexpr int kTimeout = 27;

[[nodiscard]] int publish(const Settings& settings);
[[nodiscard]] int subscribe(const Settings& settings);
[[nodiscard]] int request(const Settings& settings);

}  // namespace linnet::pubsub
