// What the generator takes from the room of clients: the event loop, and the way to a broker.
#pragma once

#include "client/loop.hpp"
#include "client/target.hpp"

namespace linnet::bench {

using client::kMillisecondNs;
using client::kSecondNs;
using client::Loop;
using client::now_ns;
using client::Ready;
using client::Target;

}  // namespace linnet::bench
