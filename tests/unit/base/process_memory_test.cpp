#include "base/process_memory.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

namespace linnet {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

/// A folder with the files that the kernel shows, as far as they matter.
class Root : public ::testing::Test {
 protected:
  Root() {
    std::string name = (fs::temp_directory_path() / "linnet-memory-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  ~Root() override { fs::remove_all(root_); }

  void put(const std::string& path, const std::string& text) const {
    const fs::path file = root_ / path;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void put_machine(std::uint64_t mebibytes) const {
    put("proc/meminfo",
        "MemTotal:     " + std::to_string(mebibytes * 1024) + " kB\nMemFree:      1024 kB\n");
  }
  [[nodiscard]] std::uint64_t available() const { return available_memory(root_.string()); }

 private:
  fs::path root_;
};

using AvailableMemory = Root;

}  // namespace

TEST_F(AvailableMemory, NothingIsKnown) {
  EXPECT_EQ(available(), 0);
}

TEST_F(AvailableMemory, TheMachine) {
  put_machine(64);
  EXPECT_EQ(available(), 64 * kMiB);
  put("proc/self/cgroup", "0::/system.slice/linnet.service\n");
  EXPECT_EQ(available(), 64 * kMiB);
}

TEST_F(AvailableMemory, AGroupOfVersion2) {
  put_machine(4096);
  put("proc/self/cgroup", "0::/system.slice/linnet.service\n");
  put("sys/fs/cgroup/system.slice/linnet.service/memory.max", "134217728\n");
  EXPECT_EQ(available(), 128 * kMiB);
}

TEST_F(AvailableMemory, AGroupAroundItAllowsLess) {
  put_machine(4096);
  put("proc/self/cgroup", "0::/a/b/c\n");
  put("sys/fs/cgroup/a/b/c/memory.max", "max\n");
  put("sys/fs/cgroup/a/b/memory.max", "268435456\n");
  put("sys/fs/cgroup/a/memory.max", "536870912\n");
  EXPECT_EQ(available(), 256 * kMiB);
}

TEST_F(AvailableMemory, AContainerSeesItsOwnRoot) {
  put_machine(4096);
  put("proc/self/cgroup", "0::/\n");
  put("sys/fs/cgroup/memory.max", "67108864\n");
  EXPECT_EQ(available(), 64 * kMiB);
}

TEST_F(AvailableMemory, AGroupOfVersion1) {
  put_machine(4096);
  put("proc/self/cgroup",
      "12:cpu,cpuacct:/x\n5:memory:/docker/1234\n4:memory_other:/y\n0::/unused\n");
  put("sys/fs/cgroup/memory/docker/1234/memory.limit_in_bytes", "100663296\n");
  put("sys/fs/cgroup/memory/y/memory.limit_in_bytes", "1048576\n");
  EXPECT_EQ(available(), 96 * kMiB);
}

TEST_F(AvailableMemory, Version1SaysNoLimitWithALargeNumber) {
  put_machine(2048);
  put("proc/self/cgroup", "5:memory:/\n");
  put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(available(), 2048 * kMiB);
}

TEST_F(AvailableMemory, NonsenseIsPassedOver) {
  put("proc/meminfo", "MemTotal: plenty\n");
  put("proc/self/cgroup", "\nnonsense\n0:\n:::\n0::nowhere\n5:memory:\n");
  put("sys/fs/cgroup/memory.max", "-5\n");
  EXPECT_EQ(available(), 0);
}

TEST(MemoryLimit, WhatIsConfiguredIsTaken) {
  EXPECT_EQ(memory_limit(17 * kMiB), 17 * kMiB);
  EXPECT_GT(memory_limit(0), 0);
}

TEST(ProcessMemory, GrowsWithWhatIsUsed) {
  constexpr std::size_t kSize = 64 * kMiB;
  ProcessMemory process;
  const std::uint64_t before = process.resident_bytes();
  EXPECT_GT(before, 0);
  const auto bytes = std::make_unique<std::vector<char>>(kSize, 'x');
  EXPECT_GE(process.resident_bytes() + kMiB, before + bytes->size());
}

TEST(ForgetStartupPages, WhatIsNeededAfterAllComesBack) {
  const std::string before = "as it was";
  EXPECT_GT(forget_startup_pages(), 64U << 10);
  EXPECT_EQ(before, "as it was");
  EXPECT_THROW((void)std::string().at(1), std::out_of_range);  // code far away, and its tables
}

}  // namespace linnet
