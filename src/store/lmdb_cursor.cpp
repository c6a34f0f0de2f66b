#include <lmdb.h>

#include "base/assert.hpp"
#include "store/environment.hpp"
#include "store/lmdb_value.hpp"

namespace linnet::store {

Cursor::Cursor(Transaction& transaction, Table table) : environment_(transaction.environment_) {
  LINNET_ASSERT(transaction);
  const auto dbi = environment_->tables_[static_cast<std::size_t>(table)];
  const int code = mdb_cursor_open(transaction.txn_, dbi, &cursor_);
  if (code == MDB_SUCCESS) return;
  environment_->status_of(code);
  cursor_ = nullptr;
}

Cursor::~Cursor() {
  if (cursor_ != nullptr) mdb_cursor_close(cursor_);
}

Status Cursor::move(int operation) {
  if (cursor_ == nullptr) return Status::failed;
  MDB_val at = to_value(key_);
  MDB_val found{};
  const int code = mdb_cursor_get(cursor_, &at, &found, static_cast<MDB_cursor_op>(operation));
  if (code == MDB_SUCCESS) {
    key_ = to_view(at);
    value_ = to_view(found);
    return Status::ok;
  }
  return environment_->status_of(code);
}

Status Cursor::seek(std::string_view key) {
  key_ = key;
  return move(MDB_SET_RANGE);
}

Status Cursor::next() {
  return move(MDB_NEXT);
}

Status Cursor::previous() {
  return move(MDB_PREV);
}

Status Cursor::last() {
  return move(MDB_LAST);
}

Status Cursor::erase() {
  if (cursor_ == nullptr) return Status::failed;
  return environment_->status_of(mdb_cursor_del(cursor_, 0));
}

Status Cursor::put(std::string_view key, std::string_view value) {
  if (cursor_ == nullptr) return Status::failed;
  MDB_val at = to_value(key);
  MDB_val stored = to_value(value);
  return environment_->status_of(mdb_cursor_put(cursor_, &at, &stored, 0));
}

Status Cursor::put_new(std::string_view key, std::string_view value) {
  if (cursor_ == nullptr) return Status::failed;
  MDB_val at = to_value(key);
  MDB_val stored = to_value(value);
  return environment_->status_of(mdb_cursor_put(cursor_, &at, &stored, MDB_NOOVERWRITE));
}

}  // namespace linnet::store
