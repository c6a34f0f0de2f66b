#include "store_disk.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <linux/magic.h>
#include <lmdb.h>
#include <string_view>
#include <sys/vfs.h>
#include <unistd.h>
#include <vector>

#include "statistics.hpp"
#include "wire.hpp"

namespace linnet::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSamples = 200;
constexpr int kSamplesMin = 20;
constexpr std::chrono::seconds kTimeMax{2};

double ms_since(Clock::time_point began) {
  return std::chrono::duration<double, std::milli>(Clock::now() - began).count();
}

template <class Sample>
double median_ms(const Sample& sample) {
  std::vector<double> times_ms;
  const auto began = Clock::now();
  for (int taken = 0; taken < kSamples; ++taken) {
    if (taken >= kSamplesMin && Clock::now() - began > kTimeMax) break;
    times_ms.push_back(sample());
  }
  return median(std::move(times_ms));
}

void must(int result) {
  if (result != MDB_SUCCESS) fail("LMDB: "s + ::mdb_strerror(result));
}

}  // namespace

bool is_in_memory(const std::string& folder) {
  struct statfs about {};
  if (::statfs(folder.c_str(), &about) != 0) fail_errno(folder);
  return about.f_type == TMPFS_MAGIC;
}

DiskTimes measure_disk(const std::string& folder) {
  DiskTimes times;
  const auto path = folder + "/bench-sync";
  {
    const Descriptor file(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
    const std::array<char, 4096> page{};
    times.sync_ms = median_ms([&] {
      const auto began = Clock::now();
      if (::write(file.get(), page.data(), page.size()) != ssize_t{page.size()} ||
          ::fdatasync(file.get()) != 0) {
        fail_errno(path);
      }
      return ms_since(began);
    });
  }
  std::filesystem::remove(path);
  CommitProbe probe(folder);
  times.commit_ms = median_ms([&] { return probe.commit_ms(); });
  return times;
}

struct CommitProbe::State {
  std::string folder;
  MDB_env* environment = nullptr;
  MDB_dbi table = 0;
  std::uint64_t records = 0;
};

CommitProbe::CommitProbe(const std::string& folder) : state_(std::make_unique<State>()) {
  state_->folder = folder + "/bench-lmdb";
  std::filesystem::remove_all(state_->folder);
  std::filesystem::create_directory(state_->folder);
  must(::mdb_env_create(&state_->environment));
  must(::mdb_env_set_mapsize(state_->environment, 1UL << 30));
  must(::mdb_env_open(state_->environment, state_->folder.c_str(), 0, 0600));
  MDB_txn* transaction = nullptr;
  must(::mdb_txn_begin(state_->environment, nullptr, 0, &transaction));
  must(::mdb_dbi_open(transaction, nullptr, MDB_INTEGERKEY, &state_->table));
  must(::mdb_txn_commit(transaction));
}

CommitProbe::~CommitProbe() {
  ::mdb_env_close(state_->environment);
  std::filesystem::remove_all(state_->folder);
}

double CommitProbe::commit_ms() {
  const auto began = Clock::now();
  auto number = state_->records++;
  std::array<char, 16> bytes{};
  MDB_val key{.mv_size = sizeof number, .mv_data = &number};
  MDB_val value{.mv_size = bytes.size(), .mv_data = bytes.data()};
  MDB_txn* transaction = nullptr;
  must(::mdb_txn_begin(state_->environment, nullptr, 0, &transaction));
  must(::mdb_put(transaction, state_->table, &key, &value, MDB_APPEND));
  must(::mdb_txn_commit(transaction));
  return ms_since(began);
}

}  // namespace linnet::bench
