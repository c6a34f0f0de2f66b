// In which order logins are verified, how many wait, and on what kind of thread.
#include "auth/verifier.hpp"

#include <condition_variable>
#include <gtest/gtest.h>
#include <mutex>
#include <string>
#include <sys/resource.h>
#include <utility>
#include <vector>

#include "support/certificates.hpp"

namespace linnet::auth {
namespace {

/// Keeps the worker with the first verdict until the test lets it go.
class Sink final : public VerdictSink {
 public:
  void on_verdict(std::uint32_t shard, LoginVerdict verdict) override {
    (void)shard;
    std::unique_lock lock(mutex_);
    tickets_.push_back(verdict.ticket);
    nice_ = ::getpriority(PRIO_PROCESS, 0);
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  std::vector<std::uint64_t> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return tickets_.size() >= count; });
    return tickets_;
  }
  int nice() {
    const std::lock_guard lock(mutex_);
    return nice_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::uint64_t> tickets_;
  int nice_ = 0;
  bool open_ = false;
};

class VerifierTest : public testing::Test {
 protected:
  VerifierTest() {
    AuthConfig config;
    config.password_file = folder.write("users.txt", "");
    std::vector<std::string> errors;
    policy = Policy::load(config, errors);
    EXPECT_NE(policy, nullptr);
    EXPECT_TRUE(submit(100, 0));
    EXPECT_EQ(sink.wait_for(1), std::vector<std::uint64_t>{0});
  }
  ~VerifierTest() override { sink.let_go(); }

  bool submit(std::uint64_t source, std::uint64_t ticket) {
    LoginJob job;
    job.policy = policy;
    job.user_name = "anna";
    job.source = source;
    job.ticket = ticket;
    return verifier.submit(std::move(job));
  }

  linnet::test::Folder folder;
  PolicyPtr policy;
  Sink sink;
  Verifier verifier{sink, VerifierLimits{12}, 10};  // 3 of one source
};

TEST_F(VerifierTest, each_source_gets_its_turn) {
  for (const std::uint64_t ticket : {11U, 12U, 13U})
    EXPECT_TRUE(submit(1, ticket));
  EXPECT_TRUE(submit(3, 31));
  for (const std::uint64_t ticket : {21U, 22U})
    EXPECT_TRUE(submit(2, ticket));
  sink.let_go();
  EXPECT_EQ(sink.wait_for(7), (std::vector<std::uint64_t>{0, 11, 21, 31, 12, 22, 13}));
}

TEST_F(VerifierTest, what_waits_is_bounded) {
  for (std::uint64_t source = 1; source <= 4; ++source) {
    for (std::uint64_t ticket = 1; ticket <= 3; ++ticket)
      EXPECT_TRUE(submit(source, 10 * source + ticket));
    EXPECT_FALSE(submit(source, 0)) << "of one source";
  }
  EXPECT_FALSE(submit(5, 0)) << "of all";
  verifier.use(VerifierLimits{16}, 10);
  EXPECT_TRUE(submit(5, 51));
  EXPECT_TRUE(submit(1, 14)) << "4 of one source now";
  sink.let_go();
  EXPECT_EQ(sink.wait_for(15).size(), 15U);
}

TEST_F(VerifierTest, its_thread_leaves_the_core_to_the_shards) {
  EXPECT_GT(sink.nice(), ::getpriority(PRIO_PROCESS, 0));
}

}  // namespace
}  // namespace linnet::auth
