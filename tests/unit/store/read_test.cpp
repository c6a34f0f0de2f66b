#include <optional>
#include <vector>

#include "unit/store/reading_fixture.hpp"

namespace linnet::store {
namespace {

using namespace std::string_literals;

MessageView message(std::string_view payload) {
  return {"topic", payload, "properties", "publisher", 9'000, Qos::exactly_once, true};
}

class ReadTest : public ReadingTest {
 protected:
  void put_outgoing(Transaction& transaction, SessionNumber session, std::uint64_t sequence) {
    const Key key = outgoing_key(session, sequence);
    const PutOutgoing put{session, sequence, 0, Qos::at_least_once, true, false, {7, 8}, "g/f"};
    const std::string payload = "m" + std::to_string(sequence);
    write_record(record_, key.bytes(), put, message(payload), clock_);
    this->put(transaction, Table::sessions, key, record_);
  }
  void put_reference(Transaction& transaction, SessionNumber session, std::uint64_t sequence,
                     std::uint64_t body) {
    const Key key = outgoing_key(session, sequence);
    const PutOutgoing put{session, sequence, 0, Qos::exactly_once, false, false, {}, ""};
    write_record(record_, key.bytes(), put, BodyReference{body, 100});
    this->put(transaction, Table::sessions, key, record_);
  }
  void put_body(Transaction& transaction, std::uint64_t body, std::string_view payload) {
    const Key key = number_key(body);
    write_body_record(record_, key.bytes(), 2, message(payload), clock_);
    put(transaction, Table::bodies, key, record_);
  }
  void put_inflight(Transaction& transaction, const PutInflight& inflight) {
    const Key key = inflight_key(inflight.session, inflight.number);
    write_record(record_, key.bytes(), inflight);
    put(transaction, Table::sessions, key, record_);
  }
  void put_received(Transaction& transaction, SessionNumber session, std::uint16_t packet_id) {
    const Key key = received_key(session, packet_id);
    write_empty_record(record_, key.bytes());
    put(transaction, Table::sessions, key, record_);
  }
  void put_session(Transaction& transaction, SessionNumber session, const std::string& client_id) {
    const Key key = session_key(session, Kind::session);
    write_record(record_, key.bytes(),
                 PutSession{session, client_id, "user", 60, 5, true, 5'000, 6'000}, clock_);
    put(transaction, Table::sessions, key, record_);
  }
  void put_will(Transaction& transaction, SessionNumber session) {
    const Key key = session_key(session, Kind::will);
    write_record(record_, key.bytes(), PutWill{session, Message::make(message("will")), 5, 10},
                 clock_);
    put(transaction, Table::sessions, key, record_);
  }
  void put_subscription(Transaction& transaction, SessionNumber session,
                        const std::string& filter) {
    const Key key = subscription_key(session, filter, seeds_);
    write_record(record_, key.bytes(), PutSubscription{session, filter, 3, 1});
    put(transaction, Table::sessions, key, record_);
  }
  void put_owed(Transaction& transaction, SessionNumber session, const OwedTotals& owed) {
    const Key key = session_key(session, Kind::owed);
    write_record(record_, key.bytes(), owed);
    put(transaction, Table::sessions, key, record_);
  }

  std::vector<std::uint64_t> outgoing(const OutgoingRange& range, std::size_t count = SIZE_MAX) {
    std::vector<std::uint64_t> found;
    EXPECT_TRUE(read([&](const Reading& reading) {
      return visit_outgoing(reading, range, [&](const StoredOutgoing& stored) {
        found.push_back(stored.sequence);
        return found.size() < count;
      });
    }));
    return found;
  }

  struct Session {
    StoredSession stored;
    std::string client_id;
    std::vector<std::string> filters;
    std::string will;
  };
  std::vector<Session> sessions() {
    std::vector<Session> found;
    EXPECT_TRUE(read([&](const Reading& reading) {
      return visit_sessions(reading, [&](const StoredSession& stored) {
        Session session{stored, std::string(stored.client_id), {}, {}};
        for (const auto& subscription : stored.subscriptions) {
          EXPECT_EQ(subscription.subscription_id, 3U);
          EXPECT_EQ(subscription.options, 1U);
          session.filters.emplace_back(subscription.filter);
        }
        if (stored.will) session.will = stored.will->message.payload;
        found.push_back(session);
      });
    }));
    return found;
  }
};

TEST_F(ReadTest, outgoing_messages_come_in_order_and_within_bounds) {
  write([&](Transaction& transaction) {
    for (const std::uint64_t sequence : {1U, 2U, 255U, 256U, 70'000U})
      put_outgoing(transaction, 5, sequence);
    put_outgoing(transaction, 4, 3);
    put_outgoing(transaction, 6, 1);
    put_owed(transaction, 5, {});
    put_session(transaction, 6, "other");
  });
  using Sequences = std::vector<std::uint64_t>;
  EXPECT_EQ(outgoing({5, 0, UINT64_MAX}), (Sequences{1, 2, 255, 256, 70'000}));
  EXPECT_EQ(outgoing({5, 1, 256}), (Sequences{2, 255, 256}));
  EXPECT_EQ(outgoing({5, 2, 254}), Sequences{});
  EXPECT_EQ(outgoing({5, 70'000, UINT64_MAX}), Sequences{});
  EXPECT_EQ(outgoing({5, UINT64_MAX, UINT64_MAX}), Sequences{});
  EXPECT_EQ(outgoing({5, 9, 3}), Sequences{});
  EXPECT_EQ(outgoing({5, 0, UINT64_MAX}, 2), (Sequences{1, 2}));
  EXPECT_EQ(outgoing({7, 0, UINT64_MAX}), Sequences{});
}

TEST_F(ReadTest, an_outgoing_message_is_shown_as_it_was) {
  write([&](Transaction& transaction) {
    put_outgoing(transaction, 5, 1);
    put_reference(transaction, 5, 2, 77);
    put_body(transaction, 77, "shared");
  });
  std::vector<std::string> payloads;
  const bool read_all = read([&](const Reading& reading) {
    return visit_outgoing(reading, {5, 0, 9}, [&](const StoredOutgoing& stored) {
      payloads.emplace_back(stored.message.payload);
      const bool first = stored.sequence == 1;
      EXPECT_EQ(stored.qos, first ? Qos::at_least_once : Qos::exactly_once);
      EXPECT_EQ(stored.retain, first);
      EXPECT_EQ(stored.group, first ? "g/f" : "");
      EXPECT_EQ(stored.subscription_ids.size(), first ? 2U : 0U);
      EXPECT_EQ(stored.message.topic, "topic");
      EXPECT_EQ(stored.message.publisher, "publisher");
      EXPECT_EQ(stored.message.properties, "properties");
      EXPECT_EQ(stored.message.expires_at_ms, 9'000U);
      return true;
    });
  });
  EXPECT_TRUE(read_all);
  EXPECT_EQ(payloads, (std::vector{"m1"s, "shared"s}));
}

TEST_F(ReadTest, damaged_outgoing_messages_are_passed_over) {
  write([&](Transaction& transaction) {
    for (std::uint64_t sequence = 1; sequence < 4; ++sequence)
      put_outgoing(transaction, 5, sequence);
    put_reference(transaction, 5, 4, 77);
    put_reference(transaction, 5, 5, 78);
    put_body(transaction, 78, "shared");
  });
  damage(Table::sessions, outgoing_key(5, 2));
  damage(Table::bodies, number_key(78));
  EXPECT_EQ(outgoing({5, 0, 100}), (std::vector<std::uint64_t>{1, 3}));
  EXPECT_EQ(damaged_, 3U);  // and the one whose body is missing
}

TEST_F(ReadTest, the_inflight_window_comes_in_the_order_of_sending) {
  write([&](Transaction& transaction) {
    put_outgoing(transaction, 5, 10);
    put_outgoing(transaction, 5, 11);
    put_outgoing(transaction, 5, 12);
    put_inflight(transaction, {5, 1, 11, OutgoingState::sent});
    put_inflight(transaction, {5, 2, 9, OutgoingState::released});
    put_inflight(transaction, {5, 3, 99, OutgoingState::sent});  // its message is missing
    put_inflight(transaction, {5, 300, 10, OutgoingState::sent});
    put_inflight(transaction, {6, 1, 11, OutgoingState::sent});
    put_owed(transaction, 5, {});
  });
  std::vector<std::string> found;
  const auto all = [&] {
    found.clear();
    return read([&](const Reading& reading) {
      return visit_inflight(reading, 5, [&](const StoredInflight& stored) {
        const bool released = stored.state == OutgoingState::released;
        EXPECT_EQ(stored.message.sequence, released ? 0 : stored.sequence);
        found.push_back(std::to_string(stored.number) + ":" + std::to_string(stored.sequence) +
                        (released ? "" : std::string(stored.message.message.payload)));
      });
    });
  };
  EXPECT_TRUE(all());
  EXPECT_EQ(found, (std::vector{"1:11m11"s, "2:9"s, "300:10m10"s}));
  EXPECT_EQ(damaged_, 0U);
  damage(Table::sessions, inflight_key(5, 2));
  damage(Table::sessions, outgoing_key(5, 10));
  EXPECT_TRUE(all());
  EXPECT_EQ(found, std::vector{"1:11m11"s});
  EXPECT_EQ(damaged_, 2U);
}

TEST_F(ReadTest, received_identifiers_come_back) {
  write([&](Transaction& transaction) {
    for (const int id : {1, 255, 256, 65'535})
      put_received(transaction, 5, static_cast<std::uint16_t>(id));
    put_received(transaction, 6, 9);
    put_inflight(transaction, {5, 1, 1, OutgoingState::sent});
  });
  damage(Table::sessions, received_key(5, 255));
  std::vector<std::uint16_t> found;
  EXPECT_TRUE(read([&](const Reading& reading) {
    return visit_received(reading, 5, [&](std::uint16_t id) { found.push_back(id); });
  }));
  EXPECT_EQ(found, (std::vector<std::uint16_t>{1, 256, 65'535}));
  EXPECT_EQ(damaged_, 1U);
}

TEST_F(ReadTest, sessions_come_with_all_that_a_broker_needs) {
  const std::string long_filter(65'535, 'f');
  write([&](Transaction& transaction) {
    put_session(transaction, 1, "bare");
    put_session(transaction, 2, "full");
    put_will(transaction, 2);
    put_subscription(transaction, 2, "a/#");
    put_subscription(transaction, 2, "$share/g/b");
    put_subscription(transaction, 2, long_filter);
    put_received(transaction, 2, 1);
    put_received(transaction, 2, 65'535);
    put_inflight(transaction, {2, 1, 5, OutgoingState::sent});
    put_owed(transaction, 2, {3, 300});
    for (const std::uint64_t sequence : {5U, 6U, 300U})
      put_outgoing(transaction, 2, sequence);
    put_session(transaction, 3, "released");
    put_inflight(transaction, {3, 1, 44, OutgoingState::released});
    put_inflight(transaction, {3, 2, 41, OutgoingState::released});
    put_session(transaction, UINT64_MAX, "last");
    put_owed(transaction, UINT64_MAX, {1, 10});
    put_outgoing(transaction, UINT64_MAX, 8);
  });
  const auto found = sessions();
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].client_id, "bare");
  EXPECT_TRUE(found[0].filters.empty());
  EXPECT_EQ(found[0].stored.last_sequence, 0U);
  EXPECT_EQ(found[0].stored.expiry_s, 60U);
  EXPECT_EQ(found[0].stored.protocol_version, 5U);
  EXPECT_TRUE(found[0].stored.connected);
  EXPECT_EQ(found[0].stored.ends_at_ms, 5'000U);
  EXPECT_EQ(found[0].stored.will_due_ms, 6'000U);
  EXPECT_FALSE(found[0].stored.will);
  EXPECT_EQ(found[1].stored.number, 2U);
  EXPECT_EQ(found[1].filters, (std::vector{"$share/g/b"s, "a/#"s, long_filter}));
  EXPECT_EQ(found[1].will, "will");
  EXPECT_EQ(found[1].stored.will->delay_s, 5U);
  EXPECT_EQ(found[1].stored.will->expiry_s, 10U);
  EXPECT_EQ(found[1].stored.outgoing_messages, 3U);
  EXPECT_EQ(found[1].stored.outgoing_bytes, 300U);
  EXPECT_EQ(found[1].stored.last_sequence, 300U);
  EXPECT_EQ(found[2].stored.last_sequence, 44U);
  EXPECT_FALSE(found[2].stored.will);
  EXPECT_EQ(found[3].stored.number, UINT64_MAX);
  EXPECT_EQ(found[3].stored.last_sequence, 8U);
  EXPECT_EQ(damaged_, 0U);
}

TEST_F(ReadTest, what_is_left_of_an_ended_session_is_no_session) {
  write([&](Transaction& transaction) {
    put_outgoing(transaction, 1, 5);
    put_session(transaction, 2, "lives");
    put_received(transaction, 3, 1);
    put_owed(transaction, 3, {});
  });
  const auto found = sessions();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].client_id, "lives");
  EXPECT_EQ(damaged_, 0U);
}

TEST_F(ReadTest, damage_to_a_session_costs_what_is_damaged) {
  write([&](Transaction& transaction) {
    for (SessionNumber session = 1; session < 5; ++session) {
      put_session(transaction, session, "c" + std::to_string(session));
      put_will(transaction, session);
      put_subscription(transaction, session, "a");
      put_subscription(transaction, session, "b");
      put_owed(transaction, session, {2, 200});
      put_outgoing(transaction, session, 1);
      put_outgoing(transaction, session, 2);
    }
    ASSERT_EQ(transaction.put(Table::sessions, "junk", "junk"), Status::ok);
    ASSERT_EQ(transaction.put(Table::sessions, "\0\0\0\0\0\0\0\2\x77"s, "junk"), Status::ok);
  });
  damage(Table::sessions, session_key(1, Kind::session));
  damage(Table::sessions, session_key(2, Kind::will));
  damage(Table::sessions, subscription_key(3, "a", seeds_));
  damage(Table::sessions, session_key(4, Kind::owed));
  const auto found = sessions();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].client_id, "c2");
  EXPECT_FALSE(found[0].stored.will);
  EXPECT_EQ(found[0].stored.last_sequence, 2U);
  EXPECT_EQ(found[1].filters, std::vector{"b"s});
  EXPECT_EQ(found[1].will, "will");
  EXPECT_EQ(found[2].stored.outgoing_messages, 2U);
  EXPECT_EQ(found[2].stored.outgoing_bytes, 2 * owed_bytes(message("m1")));
  EXPECT_EQ(found[2].stored.last_sequence, 2U);
  EXPECT_GE(damaged_, 5U);
}

TEST_F(ReadTest, a_hole_in_the_file_is_an_error_and_not_an_end) {
  write([&](Transaction& transaction) {
    put_session(transaction, 1, "c");
    for (std::uint64_t sequence = 1; sequence < 1'000; ++sequence) {
      put_outgoing(transaction, 1, sequence);
      put_inflight(transaction, {1, sequence, sequence, OutgoingState::sent});
      put_received(transaction, 1, static_cast<std::uint16_t>(sequence));
      put_retained(transaction, "a/" + std::to_string(sequence), "payload");
    }
  });
  std::filesystem::resize_file(directory_ / "data.mdb", 2 * 4'096);
  EXPECT_FALSE(read([](const Reading& reading) {
    return visit_outgoing(reading, {1, 0, UINT64_MAX}, [](const StoredOutgoing&) { return true; });
  }));
  EXPECT_FALSE(read([](const Reading& reading) {
    return visit_inflight(reading, 1, [](const StoredInflight&) {});
  }));
  EXPECT_FALSE(read(
      [](const Reading& reading) { return visit_received(reading, 1, [](std::uint16_t) {}); }));
  EXPECT_FALSE(read(
      [](const Reading& reading) { return visit_sessions(reading, [](const StoredSession&) {}); }));
  for (const char* filter : {"#", "a/7"}) {
    const RetainedWalk walk = read([&](const Reading& reading) {
      return walk_retained(reading, {filter, {}, 9}, [](const MessageView&) { return true; });
    });
    EXPECT_FALSE(walk.done);
    EXPECT_TRUE(walk.last.empty());
  }
}

TEST_F(ReadTest, an_empty_store_has_no_sessions) {
  EXPECT_TRUE(sessions().empty());
}

}  // namespace
}  // namespace linnet::store
