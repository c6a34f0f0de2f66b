#include <lmdb.h>
#include <utility>

#include "base/assert.hpp"
#include "store/environment.hpp"
#include "store/lmdb_value.hpp"

namespace linnet::store {

Transaction::Transaction(Transaction&& other) noexcept
    : environment_(std::exchange(other.environment_, nullptr)),
      txn_(std::exchange(other.txn_, nullptr)),
      reads_only_(other.reads_only_) {}

Transaction& Transaction::operator=(Transaction&& other) noexcept {
  if (this == &other) return *this;
  abort();
  environment_ = std::exchange(other.environment_, nullptr);
  txn_ = std::exchange(other.txn_, nullptr);
  reads_only_ = other.reads_only_;
  return *this;
}

Transaction::~Transaction() {
  abort();
}

void Transaction::abort() noexcept {
  if (txn_ == nullptr) return;
  if (reads_only_) {
    environment_->end_read(std::exchange(txn_, nullptr));
  } else {
    mdb_txn_abort(std::exchange(txn_, nullptr));
  }
}

Status Transaction::commit() {
  LINNET_ASSERT(txn_ != nullptr && !reads_only_);
  return environment_->status_of(mdb_txn_commit(std::exchange(txn_, nullptr)));
}

Status Transaction::get(Table table, std::string_view key, std::string_view& value) const {
  MDB_val at = to_value(key);
  MDB_val found{};
  const auto dbi = environment_->tables_[static_cast<std::size_t>(table)];
  const Status status = environment_->status_of(mdb_get(txn_, dbi, &at, &found));
  if (status == Status::ok) value = to_view(found);
  return status;
}

Status Transaction::put(Table table, std::string_view key, std::string_view value) {
  MDB_val at = to_value(key);
  MDB_val stored = to_value(value);
  const auto dbi = environment_->tables_[static_cast<std::size_t>(table)];
  return environment_->status_of(mdb_put(txn_, dbi, &at, &stored, 0));
}

Status Transaction::put_new(Table table, std::string_view key, std::string_view value,
                            std::string_view& existing) {
  MDB_val at = to_value(key);
  MDB_val stored = to_value(value);
  const auto dbi = environment_->tables_[static_cast<std::size_t>(table)];
  const Status status = environment_->status_of(mdb_put(txn_, dbi, &at, &stored, MDB_NOOVERWRITE));
  if (status == Status::exists) existing = to_view(stored);
  return status;
}

Status Transaction::erase(Table table, std::string_view key) {
  MDB_val at = to_value(key);
  const auto dbi = environment_->tables_[static_cast<std::size_t>(table)];
  return environment_->status_of(mdb_del(txn_, dbi, &at, nullptr));
}

std::uint64_t Transaction::entries(Table table) const {
  MDB_stat stat{};
  const auto dbi = environment_->tables_[static_cast<std::size_t>(table)];
  if (mdb_stat(txn_, dbi, &stat) != MDB_SUCCESS) return 0;
  return stat.ms_entries;
}

}  // namespace linnet::store
