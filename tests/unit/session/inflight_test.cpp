#include "session/inflight.hpp"

#include <gtest/gtest.h>

namespace linnet::session {

TEST(Inflight, ThereIsNoRoomWhereNothingMayBeInFlight) {
  Inflight inflight;
  EXPECT_FALSE(inflight.has_room(0));  // before the first message
  EXPECT_TRUE(inflight.has_room(1));
  OwedMessage& one = inflight.push({});
  EXPECT_FALSE(inflight.has_room(0));
  EXPECT_FALSE(inflight.has_room(1));
  EXPECT_TRUE(inflight.has_room(2));
  inflight.finish(one);
  EXPECT_FALSE(inflight.has_room(0));
  EXPECT_TRUE(inflight.has_room(1));
}

}  // namespace linnet::session
