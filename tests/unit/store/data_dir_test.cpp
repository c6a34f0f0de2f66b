#include "store/data_dir.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/stat.h>

namespace linnet::store {
namespace {

namespace fs = std::filesystem;
using Use = DataDir::Use;

class DataDirTest : public testing::Test {
 protected:
  DataDirTest() {
    std::string pattern = (fs::temp_directory_path() / "linnet-dir-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    base = pattern;
    path = base + "/a/data";
  }
  ~DataDirTest() override { fs::remove_all(base); }

  std::optional<DataDir> open(Use use = Use::serve) { return DataDir::open(path, use, problem); }
  [[nodiscard]] std::string lock_file() const { return path + "/linnet.lock"; }
  std::string lock_text() {
    std::ifstream in(lock_file());
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  void write_lock(const std::string& text) { std::ofstream(lock_file()) << text; }
  void make_store() { std::ofstream(path + "/data.mdb") << "something"; }
  void expect_problem(const std::string& words) {
    EXPECT_NE(problem.text.find(words), std::string::npos) << problem.text;
  }

  std::string base;
  std::string path;
  DataDirProblem problem;
};

TEST_F(DataDirTest, makes_the_directory_and_what_leads_to_it) {
  const auto directory = open();
  ASSERT_TRUE(directory) << problem.text;
  EXPECT_EQ(directory->path(), path);
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777 & ~0750U, 0U);
}

TEST_F(DataDirTest, a_slash_at_the_end_says_nothing) {
  const std::string plain = path;
  path += "//";
  const auto directory = open();
  ASSERT_TRUE(directory);
  EXPECT_EQ(directory->path(), plain);
}

TEST_F(DataDirTest, a_second_user_learns_who_is_there) {
  const auto first = open();
  ASSERT_TRUE(first);
  EXPECT_FALSE(open());
  EXPECT_TRUE(problem.held);
  EXPECT_EQ(problem.path, path);
  expect_problem("process " + std::to_string(getpid()) + " holds the data directory " + path);
}

TEST_F(DataDirTest, is_free_again_when_its_user_is_gone) {
  { const auto first = open(); }
  EXPECT_TRUE(open());
}

TEST_F(DataDirTest, moving_keeps_the_lock) {
  auto first = open();
  std::optional<DataDir> second;
  second.emplace(std::move(*first));
  first.reset();
  EXPECT_FALSE(open());
  second.reset();
  EXPECT_TRUE(open());
}

TEST_F(DataDirTest, a_new_directory_is_clean) {
  EXPECT_TRUE(open()->clean());
}

TEST_F(DataDirTest, only_an_orderly_end_is_clean) {
  EXPECT_TRUE(open()->clean());
  make_store();
  EXPECT_FALSE(open()->clean());
  EXPECT_TRUE(open()->close_in_order());
  EXPECT_EQ(lock_text().substr(0, 7), "closed ");
  EXPECT_TRUE(open()->clean());
  EXPECT_EQ(lock_text().substr(0, 5), "open ");
  EXPECT_FALSE(open()->clean());
}

TEST_F(DataDirTest, a_missing_or_torn_mark_is_not_clean) {
  EXPECT_TRUE(open()->close_in_order());
  make_store();
  const std::string whole = lock_text();
  fs::remove(lock_file());
  EXPECT_FALSE(open()->clean());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_lock(whole.substr(0, size));
    EXPECT_FALSE(open()->clean()) << size;
  }
  write_lock(std::string(whole.size(), '\0'));
  EXPECT_FALSE(open()->clean());
  write_lock(whole);
  EXPECT_TRUE(open()->clean());
}

TEST_F(DataDirTest, administering_keeps_the_mark) {
  EXPECT_TRUE(open()->close_in_order());
  make_store();
  EXPECT_TRUE(open(Use::administer)->clean());
  EXPECT_TRUE(open(Use::administer)->clean());
  EXPECT_TRUE(open()->clean());
  EXPECT_FALSE(open(Use::administer)->clean());
  EXPECT_FALSE(open(Use::administer)->clean());
}

TEST_F(DataDirTest, administering_makes_nothing) {
  EXPECT_FALSE(open(Use::administer));
  EXPECT_FALSE(problem.held);
  expect_problem("there is no store in " + path);
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(DataDirTest, a_path_that_is_no_directory) {
  std::ofstream(base + "/a") << "a file";
  EXPECT_FALSE(open());
  expect_problem(path);
  expect_problem("Not a directory");
  expect_problem("persistence = false");
}

TEST_F(DataDirTest, a_lock_file_that_is_a_directory) {
  fs::create_directories(lock_file());
  EXPECT_FALSE(open());
  expect_problem(lock_file());
}

TEST_F(DataDirTest, without_a_configured_place_the_state_home_comes_second) {
  setenv("XDG_STATE_HOME", (base + "/state").c_str(), 1);
  EXPECT_EQ(default_data_dirs(),
            (std::vector<std::string>{"/var/lib/linnet", base + "/state/linnet"}));
  setenv("XDG_STATE_HOME", "relative", 1);
  setenv("HOME", "/home/somebody/", 1);
  EXPECT_EQ(default_data_dirs().back(), "/home/somebody/.local/state/linnet");
  unsetenv("XDG_STATE_HOME");
  unsetenv("HOME");
  EXPECT_EQ(default_data_dirs().size(), 1U);
}

TEST_F(DataDirTest, a_temporary_directory_goes_with_its_owner) {
  setenv("TMPDIR", base.c_str(), 1);
  std::string where;
  {
    auto directory = DataDir::make_temporary(problem);
    ASSERT_TRUE(directory) << problem.text;
    EXPECT_TRUE(directory->temporary());
    EXPECT_TRUE(directory->clean());
    where = directory->path();
    EXPECT_EQ(where.find(base + "/linnet-"), 0U);
    struct stat status {};
    ASSERT_EQ(stat(where.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0700U);
    std::ofstream(where + "/data.mdb") << "something";
    directory->unlink_files();
    EXPECT_FALSE(fs::exists(where));
    EXPECT_TRUE(directory->close_in_order());
  }
  {
    const auto directory = DataDir::make_temporary(problem);
    where = directory->path();
    std::ofstream(where + "/data.mdb") << "something";
  }
  EXPECT_FALSE(fs::exists(where));
  setenv("TMPDIR", (base + "/nowhere").c_str(), 1);
  const auto elsewhere = DataDir::make_temporary(problem);
  ASSERT_TRUE(elsewhere);
  EXPECT_NE(elsewhere->path().find(base), 0U);
  unsetenv("TMPDIR");
}

}  // namespace
}  // namespace linnet::store
