#include <fstream>
#include <gtest/gtest.h>

#include "database_fixture.hpp"
#include "old_records.hpp"
#include "store/inspect.hpp"

namespace linnet::store {
namespace {

class DatabaseOpenTest : public DatabaseTest {
 protected:
  Status open_fails(std::string& error) {
    db.reset();
    Status status = Status::ok;
    EXPECT_FALSE(Database::open(options, clock, status, error));
    return status;
  }
  void change(Table table, std::string_view key, const std::string& record) {
    Transaction transaction;
    ASSERT_EQ(db->environment().begin_write(transaction), Status::ok);
    ASSERT_EQ(transaction.put(table, key, record), Status::ok);
    ASSERT_EQ(transaction.commit(), Status::ok);
  }
  void change_meta(const std::string& record) { change(Table::main, kMetaKey, record); }
  /// Three sessions, of which the first two are owed a message each, as the first format had them.
  void make_store_of_format_1() {
    make_sessions(3);
    ASSERT_EQ(write({unit({request(message("a", "hello"), {owed(1, 7), owed(2, 7)})})}),
              Status::ok);
    Meta old = meta();
    old.format = 1;
    std::string record;
    write_record(record, kMetaKey, old);
    change_meta(record);
    for (SessionNumber session = 1; session <= 3; ++session) {
      const Key key = session_key(session, Kind::session);
      change(Table::sessions, key.bytes(),
             old_session_record(key.bytes(), "client" + std::to_string(session)));
    }
    db.reset();
  }
  /// "client of user, expiry, messages", a line each.
  std::string sessions() {
    std::string found;
    db->load_sessions([&](const StoredSession& session) {
      found += std::string(session.client_id) + " of " + std::string(session.user_name) + ", " +
               std::to_string(session.expiry_s) + ", " + std::to_string(session.outgoing_messages) +
               "\n";
    });
    return found;
  }
};

TEST_F(DatabaseOpenTest, a_new_store_is_empty_and_has_seeds_of_its_own) {
  EXPECT_EQ(db->retained_messages(), 0U);
  EXPECT_EQ(db->next_session(), 1U);
  EXPECT_EQ(db->next_expiry_ms(), kNever);
  const HashSeeds seeds = meta().seeds;
  EXPECT_NE(seeds.first, seeds.second);
  open();
  EXPECT_EQ(meta().seeds.first, seeds.first);
  EXPECT_EQ(meta().seeds.second, seeds.second);
}

TEST_F(DatabaseOpenTest, what_was_written_is_there_after_opening_again) {
  make_sessions(3);
  ASSERT_EQ(write({unit({request(message("a", "hello"), {owed(2, 7)})})}), Status::ok);
  ASSERT_EQ(write(PutRetained{message("a/b", "hello", clock.now + 60'000)}), Status::ok);
  const std::uint64_t bytes = db->retained_bytes();
  EXPECT_GT(bytes, 0U);
  open();
  EXPECT_EQ(db->next_session(), 4U);
  EXPECT_EQ(db->retained_messages(), 1U);
  EXPECT_EQ(db->retained_bytes(), bytes);
  EXPECT_TRUE(has_outgoing(2, 7));
  EXPECT_EQ(db->next_expiry_ms(), clock.now + 60'000);
}

TEST_F(DatabaseOpenTest, time_goes_on_while_the_broker_is_down) {
  ASSERT_EQ(write(PutRetained{message("a/b", "hello", clock.now + 60'000)}), Status::ok);
  clock.wall += 20'000;
  clock.now = 5'000'000;  // another boot
  open();
  EXPECT_EQ(db->next_expiry_ms(), clock.now + 40'000);
}

TEST_F(DatabaseOpenTest, a_newer_format_is_refused_with_words) {
  Meta newer = meta();
  newer.format = kFormat + 1;
  std::string record;
  write_record(record, kMetaKey, newer);
  change_meta(record);
  std::string error;
  EXPECT_EQ(open_fails(error), Status::failed);
  EXPECT_NE(error.find("format " + std::to_string(kFormat + 1)), std::string::npos) << error;
  EXPECT_NE(error.find("upgrade Linnet"), std::string::npos) << error;
}

TEST_F(DatabaseOpenTest, a_store_of_format_1_is_read_and_its_sessions_belong_to_nobody) {
  make_store_of_format_1();
  open();
  EXPECT_EQ(sessions(), "client1 of , 3600, 1\nclient2 of , 3600, 1\nclient3 of , 3600, 0\n");
  EXPECT_EQ(db->damaged_records(), 0U);
  EXPECT_EQ(meta().format, 1U) << "nothing has been written";
  db.reset();
  const Inspection found = inspect(directory.path(), {});
  EXPECT_EQ(found.verdict, Verdict::sound);
  EXPECT_EQ(found.format, 1U);
}

TEST_F(DatabaseOpenTest, the_first_commit_upgrades_a_store_of_format_1) {
  make_store_of_format_1();
  open();
  ASSERT_EQ(write(PutSession{2, "client2", "anna", 60, 5, true}), Status::ok);
  EXPECT_EQ(meta().format, kFormat);
  open();
  EXPECT_EQ(sessions(), "client1 of , 3600, 1\nclient2 of anna, 60, 1\nclient3 of , 3600, 0\n");
  db.reset();
  const Inspection found = inspect(directory.path(), {});
  EXPECT_EQ(found.verdict, Verdict::sound);
  EXPECT_EQ(found.format, kFormat);
}

TEST_F(DatabaseOpenTest, the_owner_of_a_session_comes_back) {
  const std::string longest = long_name('u');
  ASSERT_EQ(write(PutSession{1, long_name('c'), longest, 60, 5, true}), Status::ok);
  ASSERT_EQ(write(PutSession{2, "b", "bert", 60, 4, false}), Status::ok);
  ASSERT_EQ(write(PutSession{3, "c", "", 60, 4, false}), Status::ok);
  open();
  EXPECT_EQ(sessions(),
            long_name('c') + " of " + longest + ", 60, 0\nb of bert, 60, 0\n" + "c of , 60, 0\n");
}

TEST_F(DatabaseOpenTest, a_damaged_meta_record_is_a_damaged_store) {
  change_meta("garbage");
  std::string error;
  EXPECT_EQ(open_fails(error), Status::damaged);
  EXPECT_NE(error.find(directory.path()), std::string::npos) << error;
}

TEST_F(DatabaseOpenTest, records_without_a_meta_record_are_no_store_of_ours) {
  make_sessions(1);
  {
    Transaction transaction;
    ASSERT_EQ(db->environment().begin_write(transaction), Status::ok);
    ASSERT_EQ(transaction.erase(Table::main, kMetaKey), Status::ok);
    ASSERT_EQ(transaction.commit(), Status::ok);
  }
  std::string error;
  EXPECT_EQ(open_fails(error), Status::damaged);
}

TEST_F(DatabaseOpenTest, a_crash_between_the_tables_and_the_meta_record_does_no_harm) {
  db.reset();
  std::filesystem::remove(directory.file());
  Status status = Status::ok;
  std::string error;
  ASSERT_TRUE(Environment::open(options.environment, status, error)) << error;
  open();
  EXPECT_EQ(write(PutRetained{message("a", "b")}), Status::ok);
}

TEST_F(DatabaseOpenTest, garbage_is_damaged) {
  db.reset();
  std::ofstream(directory.file()) << std::string(100'000, 'x');
  std::string error;
  EXPECT_EQ(open_fails(error), Status::damaged);
}

TEST_F(DatabaseOpenTest, reopening_keeps_all_and_goes_on) {
  make_sessions(1);
  ASSERT_EQ(write({unit({request(message("a", "hello"), {owed(1, 1)})})}), Status::ok);
  std::string error;
  ASSERT_EQ(db->reopen(error), Status::ok) << error;
  EXPECT_TRUE(has_outgoing(1, 1));
  ASSERT_EQ(write({unit({request(message("a", "hello"), {owed(1, 2)})})}), Status::ok);
  EXPECT_EQ(totals(1).messages, 2U);
}

TEST_F(DatabaseOpenTest, reopening_what_has_become_garbage_fails_and_can_be_tried_again) {
  make_sessions(1);
  const TemporaryDirectory aside;
  std::filesystem::copy_file(directory.file(), aside.file());
  std::filesystem::remove(directory.file());
  std::ofstream(directory.file()) << std::string(100'000, 'x');
  std::string error;
  EXPECT_EQ(db->reopen(error), Status::damaged);
  EXPECT_FALSE(error.empty());
  EXPECT_EQ(write(PutRetained{message("a", "b")}), Status::failed);
  bool more = false;
  EXPECT_EQ(db->sweep(more), Status::failed);
  std::filesystem::copy_file(aside.file(), directory.file(),
                             std::filesystem::copy_options::overwrite_existing);
  ASSERT_EQ(db->reopen(error), Status::ok) << error;
  EXPECT_EQ(write(PutRetained{message("a", "b")}), Status::ok);
}

TEST_F(DatabaseOpenTest, a_store_cut_short_while_open_is_found_by_the_next_write) {
  make_sessions(1);
  for (std::uint64_t i = 1; i <= 300; ++i) {
    ASSERT_EQ(write({unit({request(message("a", std::string(500, 'x')), {owed(1, i)})})}),
              Status::ok);
  }
  open();
  std::filesystem::resize_file(directory.file(), 3 * 4'096);
  EXPECT_NE(write({unit({request(message("a", "b"), {owed(1, 301)})})}), Status::ok);
  std::string error;
  EXPECT_NE(db->reopen(error), Status::failed);
}

}  // namespace
}  // namespace linnet::store
