#include "store/record.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <vector>

#include "unit/store/manual_clock.hpp"
#include "unit/store/old_records.hpp"

namespace linnet::store {
namespace {

const ManualClock kClock{1'000'000, 1'767'225'600'000};

/// A record as a test handles it: written once, then read in many shapes.
struct Written {
  std::string key;
  std::string record;
  std::function<bool(std::string_view key, std::string_view record)> read;
};

class Record : public testing::Test {
 protected:
  [[nodiscard]] static MessageView message() {
    return {"plant/7/temperature", "21.5", "\x03\0\4json", "sensor-17", 1'060'000,
            Qos::exactly_once,     true};
  }
  std::vector<Written> one_of_each();

  StoreClock clock_{kClock, {}};
  std::string out_;
};

std::vector<Written> Record::one_of_each() {
  std::vector<Written> all;
  const auto add = [&](const Key& key, auto read) {
    all.push_back({std::string(key.bytes()), out_, read});
  };
  const auto reader = [&](auto result) {
    return [this, result](std::string_view key, std::string_view record) mutable {
      return read_record(key, record, clock_, result);
    };
  };
  const auto timeless = [](auto result) {
    return [result](std::string_view key, std::string_view record) mutable {
      return read_record(key, record, result);
    };
  };
  const HashSeeds seeds{1, 2};
  Key key = Key().raw(kMetaKey);
  write_record(out_, key.bytes(), Meta{});
  add(key, timeless(Meta{}));
  key = session_key(1, Kind::session);
  write_record(out_, key.bytes(), PutSession{1, "client", "user", 60, 5, true, 7, 8}, clock_);
  add(key, reader(SessionRecord{}));
  key = session_key(1, Kind::will);
  write_record(out_, key.bytes(), PutWill{1, Message::make(message()), 5, 10}, clock_);
  add(key, reader(StoredWill{}));
  key = subscription_key(1, "a/+", seeds);
  write_record(out_, key.bytes(), PutSubscription{1, "a/+", 3, 1});
  add(key, timeless(StoredSubscription{}));
  key = inflight_key(1, 2);
  write_record(out_, key.bytes(), PutInflight{1, 2, 3, OutgoingState::released});
  add(key, timeless(InflightRecord{}));
  key = session_key(1, Kind::owed);
  write_record(out_, key.bytes(), OwedTotals{5, 500});
  add(key, timeless(OwedTotals{}));
  key = outgoing_key(1, 2);
  PutOutgoing put{1, 2, 3, Qos::at_least_once, true, false, {1, 200}, "group/filter"};
  write_record(out_, key.bytes(), put, message(), clock_);
  add(key, reader(OutgoingRecord{}));
  write_record(out_, key.bytes(), put, BodyReference{7, 100});
  add(key, reader(OutgoingRecord{}));
  key = retained_key(message().topic, seeds);
  write_retained_record(out_, key.bytes(), message(), clock_);
  add(key, [this](std::string_view at, std::string_view record) {
    std::string topic;
    MessageView view;
    return read_retained_record(at, record, clock_, topic, view);
  });
  key = number_key(7);
  write_body_record(out_, key.bytes(), 3, message(), clock_);
  add(key, reader(BodyRecord{}));
  key = received_key(1, 77);
  write_empty_record(out_, key.bytes());
  add(key, &is_whole);
  return all;
}

void expect_same(const MessageView& a, const MessageView& b) {
  EXPECT_EQ(a.topic, b.topic);
  EXPECT_EQ(a.payload, b.payload);
  EXPECT_EQ(a.properties, b.properties);
  EXPECT_EQ(a.publisher, b.publisher);
  EXPECT_EQ(a.expires_at_ms, b.expires_at_ms);
  EXPECT_EQ(a.qos, b.qos);
  EXPECT_EQ(a.retain, b.retain);
}

TEST_F(Record, is_whole_as_it_was_written) {
  for (const Written& written : one_of_each()) {
    EXPECT_TRUE(written.read(written.key, written.record));
    EXPECT_TRUE(is_whole(written.key, written.record));
  }
}

TEST_F(Record, every_truncation_is_found) {
  for (const Written& written : one_of_each()) {
    for (std::size_t size = 0; size < written.record.size(); ++size) {
      EXPECT_FALSE(written.read(written.key, written.record.substr(0, size))) << size;
    }
    EXPECT_FALSE(written.read(written.key, written.record + '\0'));
  }
}

TEST_F(Record, every_flipped_bit_is_found) {
  for (const Written& written : one_of_each()) {
    const auto flipped = [](std::string text, std::size_t bit) {
      text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
      return text;
    };
    for (std::size_t bit = 0; bit < written.record.size() * 8; ++bit) {
      EXPECT_FALSE(written.read(written.key, flipped(written.record, bit))) << bit;
    }
    for (std::size_t bit = 0; bit < written.key.size() * 8; ++bit) {
      EXPECT_FALSE(written.read(flipped(written.key, bit), written.record)) << bit;
    }
  }
}

TEST_F(Record, under_another_key_is_damaged) {
  const auto all = one_of_each();
  for (const Written& written : all) {
    for (const Written& other : all) {
      if (written.key == other.key) continue;
      EXPECT_FALSE(written.read(other.key, written.record));
    }
  }
}

// The form on the disk: a version of Linnet must read what an older one has written.
TEST_F(Record, has_its_form_for_ever) {
  const Key key = inflight_key(1, 2);
  write_record(out_, key.bytes(), PutInflight{1, 2, 0x0102, OutgoingState::sent});
  EXPECT_EQ(out_.substr(4), std::string("\1\1\2\1\0\0\0\0\0\0", 10));
  const Key session = session_key(1, Kind::session);
  write_record(out_, session.bytes(), PutSession{1, "cl", "anna", 0x0E10, 5, true}, clock_);
  EXPECT_EQ(out_.substr(4, 7), std::string("\2\5\1\x10\x0E\0\0", 7));
  EXPECT_EQ(out_.substr(11), std::string(16, '\0') + "\4annacl");
  write_empty_record(out_, "key");
  EXPECT_EQ(out_, "\x96\xAB\xB8\x7E\1");
}

TEST_F(Record, meta_comes_back) {
  const Meta meta{kFormat, {1, UINT64_MAX}, 3, 4, 5, 6, {7, -8}};
  write_record(out_, kMetaKey, meta);
  Meta back;
  ASSERT_TRUE(read_record(kMetaKey, out_, back));
  EXPECT_EQ(back.seeds.first, 1U);
  EXPECT_EQ(back.seeds.second, UINT64_MAX);
  EXPECT_EQ(back.next_body, 3U);
  EXPECT_EQ(back.next_session, 4U);
  EXPECT_EQ(back.retained_messages, 5U);
  EXPECT_EQ(back.retained_bytes, 6U);
  EXPECT_EQ(back.clock.time_ms, 7U);
  EXPECT_EQ(back.clock.wall_ms, -8);
}

TEST_F(Record, meta_of_a_newer_format_says_so) {
  Meta meta;
  meta.format = kFormat + 1;
  write_record(out_, kMetaKey, meta);
  Meta back;
  ASSERT_TRUE(read_record(kMetaKey, out_, back));
  EXPECT_EQ(back.format, kFormat + 1);
}

TEST_F(Record, a_session_comes_back) {
  const Key key = session_key(1, Kind::session);
  const std::string client_id(65'535, 'c');
  const std::string user_name(kUserNameMax, 'u');
  for (const auto& put : {PutSession{1, client_id, user_name, UINT32_MAX, 5, true, 1'000'001, 1},
                          PutSession{1, "client", "anna", 1, 4, false, 2, kNever},
                          PutSession{1, "client", "", 1, 4, false, 2, kNever},
                          PutSession{1, "", "", 0, 3, false, kNever, kNever}}) {
    write_record(out_, key.bytes(), put, clock_);
    SessionRecord back;
    ASSERT_TRUE(read_record(key.bytes(), out_, clock_, back));
    EXPECT_EQ(back.client_id, put.client_id);
    EXPECT_EQ(back.user_name, put.user_name);
    EXPECT_EQ(back.expiry_s, put.expiry_s);
    EXPECT_EQ(back.protocol_version, put.protocol_version);
    EXPECT_EQ(back.connected, put.connected);
    EXPECT_EQ(back.ends_at_ms, put.ends_at_ms);
    EXPECT_EQ(back.will_due_ms, put.will_due_ms);
  }
}

TEST_F(Record, a_session_of_version_1_belongs_to_nobody) {
  const Key key = session_key(1, Kind::session);
  const std::string_view client_id("\4anna-client");  // begins like a `str`
  const std::string old = old_session_record(key.bytes(), client_id);
  SessionRecord back;
  back.user_name = "somebody";
  ASSERT_TRUE(read_record(key.bytes(), old, clock_, back));
  EXPECT_TRUE(is_whole(key.bytes(), old));
  EXPECT_EQ(back.client_id, client_id);
  EXPECT_EQ(back.user_name, "");
  EXPECT_EQ(back.expiry_s, 3'600U);
  EXPECT_EQ(back.protocol_version, 5);
  EXPECT_FALSE(back.connected);
  EXPECT_EQ(back.ends_at_ms, kNever);
  EXPECT_EQ(back.will_due_ms, kNever);
  for (std::size_t size = 0; size < old.size(); ++size)
    EXPECT_FALSE(read_record(key.bytes(), old.substr(0, size), clock_, back)) << size;
}

TEST_F(Record, an_owner_that_is_cut_or_too_long_is_damage) {
  const Key key = session_key(1, Kind::session);
  const std::string fields(22, '\0');
  const auto reads = [&](std::uint8_t version, const std::string& rest) {
    SessionRecord back;
    return read_record(key.bytes(), sealed_record(key.bytes(), version, fields + rest), clock_,
                       back);
  };
  EXPECT_TRUE(reads(2, "\4anna"));
  EXPECT_TRUE(reads(2, std::string(1, '\0')));
  EXPECT_FALSE(reads(2, ""));
  EXPECT_FALSE(reads(2, "\4ann"));
  EXPECT_FALSE(reads(2, "\x80"));
  EXPECT_FALSE(reads(2, "\xFF\xFF\xFF\xFF\x7F"));
  const std::string longest = "\xFF\xFF\x03" + std::string(kUserNameMax, 'u');
  EXPECT_TRUE(reads(2, longest));
  EXPECT_FALSE(reads(2, "\x80\x80\x04" + std::string(kUserNameMax + 1, 'u')));
  for (const std::uint8_t version : std::initializer_list<std::uint8_t>{0, 3, 255})
    EXPECT_FALSE(reads(version, "\4anna")) << int{version};
}

TEST_F(Record, only_a_session_has_a_second_version) {
  const Key key = session_key(1, Kind::owed);
  write_record(out_, key.bytes(), OwedTotals{5, 500});
  OwedTotals owed;
  EXPECT_TRUE(read_record(key.bytes(), sealed_record(key.bytes(), 1, out_.substr(5)), owed));
  EXPECT_FALSE(read_record(key.bytes(), sealed_record(key.bytes(), 2, out_.substr(5)), owed));
}

TEST_F(Record, a_will_comes_back) {
  const Key key = session_key(1, Kind::will);
  for (const std::optional<std::uint32_t> expiry_s :
       {std::optional<std::uint32_t>{}, std::optional<std::uint32_t>{0},
        std::optional<std::uint32_t>{UINT32_MAX}}) {
    write_record(out_, key.bytes(), PutWill{1, Message::make(message()), UINT32_MAX, expiry_s},
                 clock_);
    StoredWill back;
    back.expiry_s = 17;
    ASSERT_TRUE(read_record(key.bytes(), out_, clock_, back));
    EXPECT_EQ(back.delay_s, UINT32_MAX);
    EXPECT_EQ(back.expiry_s, expiry_s);
    expect_same(back.message, message());
  }
}

TEST_F(Record, a_subscription_comes_back) {
  const HashSeeds seeds{1, 2};
  for (const std::size_t size : {std::size_t{1}, kNameMax, kNameMax + 1, std::size_t{65'535}}) {
    const PutSubscription put{1, std::string(size, '+'), 268'435'455, 0x2E};
    const Key key = subscription_key(1, put.filter, seeds);
    write_record(out_, key.bytes(), put);
    StoredSubscription back;
    ASSERT_TRUE(read_record(key.bytes(), out_, back)) << size;
    EXPECT_EQ(back.filter, put.filter);
    EXPECT_EQ(back.subscription_id, put.subscription_id);
    EXPECT_EQ(back.options, put.options);
  }
}

TEST_F(Record, an_inflight_state_comes_back) {
  const Key key = inflight_key(1, UINT64_MAX);
  for (const auto state : {OutgoingState::queued, OutgoingState::sent, OutgoingState::released}) {
    write_record(out_, key.bytes(), PutInflight{1, UINT64_MAX, UINT64_MAX, state});
    InflightRecord back;
    ASSERT_TRUE(read_record(key.bytes(), out_, back));
    EXPECT_EQ(back.state, state);
    EXPECT_EQ(back.sequence, UINT64_MAX);
  }
  write_record(out_, key.bytes(), PutInflight{1, 1, 1, static_cast<OutgoingState>(3)});
  InflightRecord back;
  EXPECT_FALSE(read_record(key.bytes(), out_, back));
}

TEST_F(Record, totals_come_back) {
  const Key key = session_key(1, Kind::owed);
  write_record(out_, key.bytes(), OwedTotals{UINT64_MAX, 1});
  OwedTotals back;
  ASSERT_TRUE(read_record(key.bytes(), out_, back));
  EXPECT_EQ(back.messages, UINT64_MAX);
  EXPECT_EQ(back.bytes, 1U);
}

TEST_F(Record, an_outgoing_message_comes_back) {
  const Key key = outgoing_key(1, 2);
  const std::string topic(65'535, 't');
  const std::string publisher(65'535, 'p');
  const std::string properties(70'000, 'q');
  const std::string payload(1 << 20, 'x');
  for (const MessageView& sent :
       {message(), MessageView{topic, payload, properties, publisher, kNever},
        MessageView{"t", "", "", "", 1, Qos::at_least_once, false}}) {
    PutOutgoing put{1, 2, 0, Qos::exactly_once, false, false, {}, ""};
    for (int round = 0; round < 2; ++round) {
      write_record(out_, key.bytes(), put, sent, clock_);
      OutgoingRecord back;
      ASSERT_TRUE(read_record(key.bytes(), out_, clock_, back));
      EXPECT_EQ(back.qos, put.qos);
      EXPECT_EQ(back.retain, put.retain);
      EXPECT_TRUE(std::equal(back.subscription_ids.begin(), back.subscription_ids.end(),
                             put.subscription_ids.begin(), put.subscription_ids.end()));
      EXPECT_EQ(back.group, put.group);
      EXPECT_EQ(back.reference.body, 0U);
      EXPECT_EQ(back.reference.bytes, owed_bytes(sent));
      expect_same(back.message, sent);
      put = {1, 2, 9, Qos::at_least_once, true, false, {1, 128, 268'435'455}, "g/a/#"};
    }
  }
}

TEST_F(Record, an_outgoing_message_elsewhere_comes_back) {
  const Key key = outgoing_key(1, 2);
  const PutOutgoing put{1, 2, 0, Qos::at_least_once, true, false, {5}, std::string(65'535, 'g')};
  write_record(out_, key.bytes(), put, BodyReference{UINT64_MAX, UINT32_MAX});
  OutgoingRecord back;
  ASSERT_TRUE(read_record(key.bytes(), out_, clock_, back));
  EXPECT_EQ(back.reference.body, UINT64_MAX);
  EXPECT_EQ(back.reference.bytes, UINT32_MAX);
  EXPECT_EQ(back.subscription_ids.size(), 1U);
  EXPECT_EQ(back.group, put.group);
}

TEST_F(Record, a_retained_message_comes_back) {
  const HashSeeds seeds{1, 2};
  for (const std::size_t size : {std::size_t{1}, kNameMax, kNameMax + 1, std::size_t{65'535}}) {
    std::string topic(size, 't');
    topic.front() = topic.back() = '/';
    MessageView sent = message();
    sent.topic = topic;
    const Key key = retained_key(topic, seeds);
    write_retained_record(out_, key.bytes(), sent, clock_);
    EXPECT_EQ(out_.size() > size, is_hashed(topic) || size == 1);
    std::string scratch;
    MessageView back;
    ASSERT_TRUE(read_retained_record(key.bytes(), out_, clock_, scratch, back)) << size;
    expect_same(back, sent);
  }
}

TEST_F(Record, a_body_comes_back) {
  const Key key = number_key(UINT64_MAX);
  write_body_record(out_, key.bytes(), UINT32_MAX, message(), clock_);
  BodyRecord back;
  ASSERT_TRUE(read_record(key.bytes(), out_, clock_, back));
  EXPECT_EQ(back.references, UINT32_MAX);
  expect_same(back.message, message());
}

TEST_F(Record, times_follow_the_store_and_not_the_process) {
  const Key key = number_key(1);
  write_body_record(out_, key.bytes(), 1, message(), clock_);
  const ClockMark mark = clock_.mark();
  const ManualClock later{500, mark.wall_ms + 10'000};
  const StoreClock after_restart(later, mark);
  BodyRecord back;
  ASSERT_TRUE(read_record(key.bytes(), out_, after_restart, back));
  EXPECT_EQ(back.message.expires_at_ms, 500U + 60'000 - 10'000);
}

TEST_F(Record, memory_is_used_again) {
  const Key key = number_key(1);
  write_body_record(out_, key.bytes(), 1, message(), clock_);
  const std::string first = out_;
  const char* const memory = out_.data();
  write_empty_record(out_, key.bytes());
  write_body_record(out_, key.bytes(), 1, message(), clock_);
  EXPECT_EQ(out_, first);
  EXPECT_EQ(out_.data(), memory);
}

}  // namespace
}  // namespace linnet::store
