// A reload for which there is not enough memory changes nothing, or ends the process: never half.
#include <cstdlib>
#include <exception>
#include <gtest/gtest.h>
#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <utility>

#include "base/log.hpp"
#include "support/certificates.hpp"
#include <linnet/broker.hpp>

namespace {

/// Of the allocations of this thread from now on, the one with this number fails; 0: none does.
thread_local std::size_t fails_at = 0;

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  if (fails_at > 0 && --fails_at == 0) throw std::bad_alloc();
  void* const block = std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

[[gnu::noinline]] void operator delete(void* block) noexcept {
  std::free(block);
}

[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}

namespace linnet {
namespace {

constexpr int kDone = 0;
constexpr int kHalf = 1;
constexpr int kNoStart = 2;
constexpr int kEndedBehind = 3;  // the listeners have changed
constexpr int kEndedBefore = 4;
constexpr int kNothingFailed = 5;
constexpr int kNeverDone = 6;
constexpr int kNoWayBack = 7;

// Allocations of a reload: more than these, and fewer.
constexpr std::size_t kFew = 20;
constexpr std::size_t kMost = 100'000;

Broker* running = nullptr;
std::optional<linnet::test::Folder> folder;

[[noreturn]] void leave(int code) {
  folder.reset();
  std::_Exit(code);
}

Config config_with(std::initializer_list<const char*> urls) {
  Config config;
  config.persistence = false;
  config.threads = 1;
  config.log_level = LogLevel::off;
  for (const char* url : urls)
    config.listeners.emplace_back().url = url;
  return config;
}

/// Reloads with one allocation more each time before one fails.
[[noreturn]] void reload_until_it_is_done() {
  log::set_level(log::Level::off);
  folder.emplace();
  std::string error;
  const Config first = config_with({"mqtt://127.0.0.1:0"});
  const auto broker = Broker::open(first, error);
  if (!broker) leave(kNoStart);
  running = broker.get();
  std::set_terminate([] { leave(running->addresses().size() == 2 ? kEndedBehind : kEndedBefore); });
  const std::thread server([] { running->run(); });
  Config next = config_with({"mqtt://127.0.0.1:0", "mqtts://127.0.0.2:0"});
  next.listeners.back().tls.psk_file =
      folder->write("psk.txt", "anna:000102030405060708090a0b0c0d0e0f\n");
  for (std::size_t at = 1; at < kMost; ++at) {
    Config copy = next;
    ReloadReport report;
    fails_at = at;
    broker->reload(std::move(copy), report);
    const bool failed = std::exchange(fails_at, 0) == 0;
    if (broker->addresses().size() != (report.applied ? 2 : 1)) leave(kHalf);
    if (!failed) leave(at > kFew ? kDone : kNothingFailed);
    if (!report.applied) continue;
    // Somebody could do without that memory.
    broker->reload(first, report);
    if (!report.applied) leave(kNoWayBack);
  }
  leave(kNeverDone);
}

TEST(ReloadMemoryDeathTest, a_reload_is_never_done_by_half) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto whole = [](int status) {
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return code == kDone || code == kEndedBehind;
  };
  EXPECT_EXIT(reload_until_it_is_done(), whole, "");
}

}  // namespace
}  // namespace linnet
