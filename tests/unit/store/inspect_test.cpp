#include "store/inspect.hpp"

#include "damage_fixture.hpp"

namespace linnet::store {
namespace {

class InspectTest : public DamageTest {
 protected:
  Inspection look(const InspectLimits& limits = {}) { return inspect(directory.path(), limits); }
  /// Changes records of the closed store behind its back.
  void change(FunctionRef<void(Transaction&)> step) {
    Status status = Status::ok;
    std::string error;
    const auto environment = Environment::open(options.environment, status, error);
    ASSERT_TRUE(environment) << error;
    Transaction transaction;
    ASSERT_EQ(environment->begin_write(transaction), Status::ok);
    step(transaction);
    ASSERT_EQ(transaction.commit(), Status::ok);
  }
  void expect_damaged(const std::string& words) {
    const Inspection found = look();
    EXPECT_EQ(found.verdict, Verdict::damaged);
    const bool said = std::any_of(
        found.problems.begin(), found.problems.end(),
        [&](const std::string& problem) { return problem.find(words) != std::string::npos; });
    EXPECT_TRUE(said) << (found.problems.empty() ? "no problem" : found.problems.front());
  }
};

TEST_F(InspectTest, a_good_store_is_sound_and_counted) {
  const Inspection found = look();
  EXPECT_EQ(found.verdict, Verdict::sound)
      << (found.problems.empty() ? "" : found.problems.front());
  EXPECT_TRUE(found.complete);
  EXPECT_EQ(found.problem_count, 0U);
  EXPECT_EQ(found.sessions, kSessions);
  EXPECT_EQ(found.outgoing_messages, kept.outgoing.size());
  EXPECT_EQ(found.retained_messages, kRetained);
  EXPECT_EQ(found.format, kFormat);
}

TEST_F(InspectTest, a_new_store_is_sound) {
  std::filesystem::remove(file());
  EXPECT_EQ(look().verdict, Verdict::none);
  open();
  db.reset();
  EXPECT_EQ(look().verdict, Verdict::sound);
  EXPECT_EQ(look(kStartLimits).verdict, Verdict::sound);
}

TEST_F(InspectTest, an_ended_session_that_is_not_swept_yet_is_no_damage) {
  open();
  ASSERT_EQ(write(EraseSession{3}), Status::ok);
  db.reset();
  const Inspection found = look();
  EXPECT_EQ(found.verdict, Verdict::sound)
      << (found.problems.empty() ? "" : found.problems.front());
  EXPECT_EQ(found.sessions, kSessions - 1);
}

TEST_F(InspectTest, of_a_large_file_only_the_sessions_are_read) {
  const Inspection found = look({1, std::chrono::milliseconds{60'000}});
  EXPECT_EQ(found.verdict, Verdict::sound);
  EXPECT_FALSE(found.complete);
  EXPECT_EQ(found.sessions, kSessions);
  EXPECT_EQ(found.retained_messages, 0U);
}

TEST_F(InspectTest, without_time_the_rest_is_taken_as_sound) {
  const Inspection found = look({UINT64_MAX, std::chrono::milliseconds{-1}});
  EXPECT_EQ(found.verdict, Verdict::sound);
  EXPECT_FALSE(found.in_time);
}

TEST_F(InspectTest, a_flipped_bit_in_a_value) {
  const std::size_t at = find_last("client17");
  ASSERT_NE(at, std::string::npos);
  flip_bit(at);
  expect_damaged("the record of session 17 is damaged");
  EXPECT_EQ(look().problem_count, 2U);  // the record, and its session that is missing now
}

TEST_F(InspectTest, a_garbled_page_of_each_table) {
  const std::vector<char> whole = [&] {
    std::ifstream in(file(), std::ios::binary);
    return std::vector<char>((std::istreambuf_iterator<char>(in)),
                             std::istreambuf_iterator<char>());
  }();
  for (const Table table : {Table::sessions, Table::retained, Table::bodies, Table::expiries}) {
    garble_page(tree_of(table).root);
    expect_damaged(std::string("table ") + std::string(name_of(table)) + ": page ");
    std::ofstream(file(), std::ios::binary)
        .write(whole.data(), static_cast<std::streamsize>(whole.size()));
    EXPECT_EQ(look().verdict, Verdict::sound);
  }
}

TEST_F(InspectTest, a_file_that_is_no_store) {
  std::filesystem::resize_file(file(), 0);
  expect_damaged("empty");
  overwrite(0, 100'000, 0);
  expect_damaged("head");
  overwrite(0, 100'000, 1);
  expect_damaged("head");
}

TEST_F(InspectTest, one_garbled_head) {
  garble_page(1);
  expect_damaged("one of the two heads");
}

TEST_F(InspectTest, a_file_of_another_kind_of_machine) {
  overwrite(0, 2 * kPage, 0);
  std::fstream out(file(), std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(16);
  out.write("\xBE\xEF\xC0\xDE", 4);
  out.close();
  EXPECT_EQ(look().verdict, Verdict::foreign);
}

TEST_F(InspectTest, a_newer_format_is_left_alone) {
  change([](Transaction& transaction) {
    Meta meta;
    meta.format = kFormat + 1;
    std::string out;
    write_record(out, kMetaKey, meta);
    ASSERT_EQ(transaction.put(Table::main, kMetaKey, out), Status::ok);
  });
  EXPECT_EQ(look().verdict, Verdict::sound);
  EXPECT_EQ(look().format, kFormat + 1);
}

TEST_F(InspectTest, contradictions_between_records) {
  change([](Transaction& transaction) {
    ASSERT_EQ(transaction.erase(Table::sessions, session_key(5, Kind::session).bytes()),
              Status::ok);
  });
  expect_damaged("1 sessions have records, but are not there");
  change([](Transaction& transaction) {
    ASSERT_EQ(transaction.erase(Table::sessions, outgoing_key(7, 9).bytes()), Status::ok);
  });
  expect_damaged("1 sessions count wrongly");
  change([](Transaction& transaction) {
    ASSERT_EQ(transaction.erase(Table::sessions, outgoing_key(6, 1).bytes()), Status::ok);
  });
  expect_damaged("1 messages in flight are missing");
  change([](Transaction& transaction) {
    ASSERT_EQ(transaction.erase(Table::bodies, number_key(1).bytes()), Status::ok);
  });
  expect_damaged("outgoing messages have lost their bodies");
  change([](Transaction& transaction) {
    ASSERT_EQ(transaction.erase(Table::retained, retained_key("house/1/1", {}).bytes()),
              Status::ok);
  });
  expect_damaged("there are 399 retained messages");
}

TEST_F(InspectTest, a_missing_head_record) {
  change([](Transaction& transaction) {
    ASSERT_EQ(transaction.erase(Table::main, kMetaKey), Status::ok);
  });
  expect_damaged("the head record of the store is missing");
}

}  // namespace
}  // namespace linnet::store
