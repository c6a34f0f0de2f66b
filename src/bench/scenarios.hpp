// The scenarios: each does its part of a run, and adds its phases to the stage's report. What goes
// wrong is the loop's fault(). One thread.
#pragma once

#include "bench/stage.hpp"

namespace linnet::bench {

/// p2p, fanout, fanin, wildcard and shared: publishers to subscribers, all at once.
void run_messages(Stage& stage);
void run_idle(Stage& stage);
void run_connect(Stage& stage);
void run_retained(Stage& stage);
void run_offline(Stage& stage);

}  // namespace linnet::bench
