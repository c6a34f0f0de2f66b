#include "store/salvage.hpp"

#include <random>

#include "damage_fixture.hpp"
#include "store/open_checked.hpp"

namespace linnet::store {
namespace {

class SalvageTest : public DamageTest {
 protected:
  /// Opens the store as a broker does after a crash, and expects it to be whole and usable.
  void reopen(bool clean = false) {
    std::string error;
    db = open_checked(options, clean, clock, error);
    ASSERT_TRUE(db) << error;
    found = read_all();
    PutSession put;
    put.session = db->next_session();
    put.client_id = "new";
    ASSERT_EQ(write(put), Status::ok);
    const Request all = request(message("t", "payload"), {owed(put.session, 1), owed(1, 9'999)});
    ASSERT_EQ(write({unit({all})}), Status::ok);
    ASSERT_EQ(write(PutRetained{message("new/topic", "value")}), Status::ok);
    sweep_all();
    db.reset();
    const Inspection result = inspect(directory.path(), {});
    EXPECT_EQ(result.verdict, Verdict::sound);
    for (const std::string& problem : result.problems)
      ADD_FAILURE() << problem;
    EXPECT_FALSE(std::filesystem::exists(directory.path() + "/salvage.tmp"));
  }

  std::size_t files_aside() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
      count += entry.path().filename().string().find("data.mdb.damaged-") == 0 ? 1U : 0U;
    return count;
  }

  /// How many of these were there before, in percent; all that is there now must have been.
  static std::size_t percent(std::vector<std::string> now, std::vector<std::string> before) {
    std::sort(now.begin(), now.end());
    std::sort(before.begin(), before.end());
    EXPECT_TRUE(std::includes(before.begin(), before.end(), now.begin(), now.end()));
    return now.size() * 100 / before.size();
  }
  std::size_t sessions_kept() { return percent(found.sessions, kept.sessions); }
  std::size_t outgoing_kept() { return percent(found.outgoing, kept.outgoing); }
  std::size_t retained_kept() { return percent(found.retained, kept.retained); }

  Contents found;
};

TEST_F(SalvageTest, a_sound_store_stays_as_it_is) {
  reopen();
  EXPECT_EQ(files_aside(), 0U);
  EXPECT_EQ(found.sessions, kept.sessions);
  EXPECT_EQ(found.outgoing, kept.outgoing);
  EXPECT_EQ(found.retained, kept.retained);
}

TEST_F(SalvageTest, a_flipped_bit_costs_one_record) {
  flip_bit(find_last("client17"));
  reopen();
  EXPECT_EQ(files_aside(), 1U);
  EXPECT_EQ(found.sessions.size(), kSessions - 1);
  EXPECT_EQ(found.retained, kept.retained);
  EXPECT_GE(outgoing_kept(), 98U);
}

TEST_F(SalvageTest, a_garbled_root_costs_next_to_nothing) {
  for (const Table table : {Table::sessions, Table::retained}) {
    ASSERT_GT(tree_of(table).depth, 1);
    garble_page(tree_of(table).root);
  }
  reopen();
  EXPECT_EQ(found.sessions, kept.sessions);
  EXPECT_EQ(found.outgoing, kept.outgoing);
  EXPECT_EQ(found.retained, kept.retained);
}

TEST_F(SalvageTest, garbage_in_the_middle) {
  overwrite(pages() / 2 * kPage, 5 * kPage, 1);
  reopen();
  EXPECT_EQ(files_aside(), 1U);
  EXPECT_GE(sessions_kept(), 80U);
  EXPECT_GE(outgoing_kept(), 80U);
  EXPECT_GE(retained_kept(), 80U);
}

TEST_F(SalvageTest, a_garbled_head) {
  garble_page(0);
  reopen();
  EXPECT_EQ(files_aside(), 1U);
  EXPECT_GE(sessions_kept(), 95U);
  EXPECT_GE(retained_kept(), 95U);
}

TEST_F(SalvageTest, both_heads_garbled) {
  overwrite(0, 2 * kPage, 1);
  reopen(true);
  EXPECT_EQ(files_aside(), 1U);
  EXPECT_EQ(found.sessions, kept.sessions);
  EXPECT_EQ(found.outgoing, kept.outgoing);
  EXPECT_EQ(found.retained, kept.retained);
}

TEST_F(SalvageTest, half_of_the_file) {
  std::filesystem::resize_file(file(), pages() / 2 * kPage + 100);
  reopen();
  EXPECT_EQ(files_aside(), 1U);
  EXPECT_GE(sessions_kept() + outgoing_kept() + retained_kept(), 40U);
}

TEST_F(SalvageTest, nothing_of_the_file) {
  std::filesystem::resize_file(file(), 0);
  reopen();
  EXPECT_EQ(files_aside(), 1U);
  EXPECT_TRUE(found.sessions.empty());
}

TEST_F(SalvageTest, zeros_and_garbage) {
  overwrite(0, pages() * kPage, 0);
  reopen();
  EXPECT_TRUE(found.sessions.empty());
  overwrite(0, 40 * kPage, 1);
  reopen();
  EXPECT_TRUE(found.sessions.empty());
  EXPECT_EQ(files_aside(), 2U);
}

TEST_F(SalvageTest, without_the_head_record_only_hashed_names_are_lost) {
  Status status = Status::ok;
  std::string error;
  {
    const auto environment = Environment::open(options.environment, status, error);
    Transaction transaction;
    ASSERT_EQ(environment->begin_write(transaction), Status::ok);
    ASSERT_EQ(transaction.erase(Table::main, kMetaKey), Status::ok);
    ASSERT_EQ(transaction.commit(), Status::ok);
  }
  // The other head still knows the record: make it forget.
  {
    const auto environment = Environment::open(options.environment, status, error);
    Transaction transaction;
    ASSERT_EQ(environment->begin_write(transaction), Status::ok);
    ASSERT_EQ(transaction.erase(Table::retained, retained_key("house/1/1", {}).bytes()),
              Status::ok);
    ASSERT_EQ(transaction.commit(), Status::ok);
  }
  reopen();
  EXPECT_EQ(found.sessions, kept.sessions);
  EXPECT_EQ(found.retained.size(), kRetained - 1 - kRetained / 50);
}

TEST_F(SalvageTest, an_interrupted_replacement_is_taken_up) {
  std::filesystem::create_directory(directory.path() + "/salvage.tmp");
  std::filesystem::rename(file(), directory.path() + "/salvage.tmp/data.mdb");
  reopen();
  EXPECT_EQ(found.sessions, kept.sessions);
}

TEST_F(SalvageTest, what_is_saved_of_an_older_format_is_of_the_newest) {
  Status status = Status::ok;
  std::string error;
  {
    const auto environment = Environment::open(options.environment, status, error);
    ASSERT_TRUE(environment) << error;
    Transaction transaction;
    std::string_view record;
    Meta meta;
    ASSERT_EQ(environment->begin_write(transaction), Status::ok);
    ASSERT_EQ(transaction.get(Table::main, kMetaKey, record), Status::ok);
    ASSERT_TRUE(read_record(kMetaKey, record, meta));
    meta.format = 1;
    std::string out;
    write_record(out, kMetaKey, meta);
    ASSERT_EQ(transaction.put(Table::main, kMetaKey, out), Status::ok);
    ASSERT_EQ(transaction.commit(), Status::ok);
  }
  TemporaryDirectory saved;
  EnvironmentOptions there = options.environment;
  there.directory = saved.path();
  {
    const auto environment = Environment::open(there, status, error);
    ASSERT_TRUE(environment) << error;
    const SalvageResult result = salvage(file(), *environment);
    ASSERT_EQ(result.status, Status::ok) << result.error;
    EXPECT_EQ(result.sessions, kSessions);
  }
  const Inspection result = inspect(saved.path(), {});
  EXPECT_EQ(result.verdict, Verdict::sound);
  EXPECT_EQ(result.format, kFormat);
}

TEST_F(SalvageTest, a_newer_format_is_refused_and_not_set_aside) {
  Status status = Status::ok;
  std::string error;
  {
    const auto environment = Environment::open(options.environment, status, error);
    Meta meta;
    meta.format = kFormat + 1;
    std::string out;
    write_record(out, kMetaKey, meta);
    Transaction transaction;
    ASSERT_EQ(environment->begin_write(transaction), Status::ok);
    ASSERT_EQ(transaction.put(Table::main, kMetaKey, out), Status::ok);
    ASSERT_EQ(transaction.commit(), Status::ok);
  }
  db = open_checked(options, false, clock, error);
  EXPECT_FALSE(db);
  EXPECT_NE(error.find("upgrade"), std::string::npos) << error;
  EXPECT_EQ(files_aside(), 0U);
}

TEST_F(SalvageTest, any_damage_leaves_a_whole_store) {
  std::mt19937 random(7);
  const std::string saved = directory.path() + "/saved";
  std::filesystem::copy_file(file(), saved);
  for (int round = 0; round < 40; ++round) {
    SCOPED_TRACE(round);
    std::filesystem::copy_file(saved, file(), std::filesystem::copy_options::overwrite_existing);
    const std::uint64_t bytes = pages() * kPage;
    for (int i = 0; i < 1 + round; ++i) {
      const std::uint64_t at = (std::uint64_t{random()} << 16 ^ random()) % bytes;
      if (i % 4 == 0) {
        overwrite(at, std::min<std::size_t>(random() % 3'000, bytes - at), 1);
      } else {
        flip_bit(at);
      }
    }
    reopen();
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace linnet::store
