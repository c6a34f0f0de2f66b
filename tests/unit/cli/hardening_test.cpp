// Each test filters a process of its own, which then ends.
#include "cli/hardening.hpp"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace linnet::cli {
namespace {

constexpr int kDone = 7;
constexpr int kNoFilter = 8;

/// Ends the process: by what the call costs, else with kDone.
template <class Call>
[[noreturn]] void filtered(Call call) {
  set_core_dumps(false);
  std::string error;
  if (!filter_system_calls(error)) _exit(kNoFilter);
  call();
  _exit(kDone);
}

const auto killed = testing::KilledBySignal(SIGSYS);
const auto done = testing::ExitedWithCode(kDone);

class HardeningDeathTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(HardeningDeathTest, OtherProgramsAreForbidden) {
  EXPECT_EXIT(filtered([] { execl("/bin/true", "true", nullptr); }), killed, "");
}

TEST_F(HardeningDeathTest, OtherProcessesAreForbidden) {
  EXPECT_EXIT(filtered([] { syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr); }),
              killed, "");
  EXPECT_EXIT(filtered([] { ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr); }), killed, "");
  EXPECT_EXIT(filtered([] { kill(getppid(), 0); }), killed, "");
  EXPECT_EXIT(filtered([] { syscall(SYS_tgkill, getppid(), getppid(), 0); }), killed, "");
}

TEST_F(HardeningDeathTest, CodeCannotBeMade) {
  EXPECT_EXIT(filtered([] {
                mmap(nullptr, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              }),
              killed, "");
  EXPECT_EXIT(filtered([] {
                void* page =
                    mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                mprotect(page, 4096, PROT_READ | PROT_EXEC);
              }),
              killed, "");
}

TEST_F(HardeningDeathTest, OtherSocketsAreForbidden) {
  EXPECT_EXIT(filtered([] { socket(AF_PACKET, SOCK_RAW, 0); }), killed, "");
}

TEST_F(HardeningDeathTest, TheFilterCannotBeTakenBack) {
  EXPECT_EXIT(filtered([] { prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); }), killed, "");
  EXPECT_EXIT(filtered([] { syscall(SYS_seccomp, 0, 0, nullptr); }), killed, "");
}

TEST_F(HardeningDeathTest, AnyThreadIsEnough) {
  EXPECT_EXIT(filtered([] { std::thread([] { chroot("/"); }).join(); }), killed, "");
}

TEST_F(HardeningDeathTest, WhatABrokerDoesIsAllowed) {
  EXPECT_EXIT(filtered([] {
                std::thread([] {}).join();
                for (const int family : {AF_UNIX, AF_INET, AF_INET6})
                  close(socket(family, SOCK_STREAM, 0));
                close(open("/etc/hosts", O_RDONLY | O_CLOEXEC));
                void* page =
                    mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                mprotect(page, 4096, PROT_READ);
                munmap(page, 4096);
                raise(0);
              }),
              done, "");
  EXPECT_EXIT(filtered([] { std::abort(); }), testing::KilledBySignal(SIGABRT), "");
}

TEST_F(HardeningDeathTest, CoreDumps) {
  const auto figures = [](bool allowed) {
    set_core_dumps(allowed);
    rlimit limit{};
    getrlimit(RLIMIT_CORE, &limit);
    const bool none = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
    _exit((none ? 1 : 0) + (limit.rlim_max == 0 ? 2 : 0));
  };
  EXPECT_EXIT(figures(false), testing::ExitedWithCode(3), "");
  rlimit limit{};
  getrlimit(RLIMIT_CORE, &limit);
  EXPECT_EXIT(figures(true), testing::ExitedWithCode(limit.rlim_max == 0 ? 2 : 0), "");
}

}  // namespace
}  // namespace linnet::cli
