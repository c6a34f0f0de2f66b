#include "net/outbox.hpp"

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"
#include "net/block_pool.hpp"

namespace linnet::net {

Block& Outbox::add_block(std::size_t size) {
  // A block that did not suffice shows that there is much to send; behind a payload that is only
  // referenced there are a few bytes of the next packet's header.
  const bool many = tail_ != nullptr && !tail_->owner;
  Block* block = pool_->take(size, many);
  (tail_ == nullptr ? head_ : tail_->next) = block;
  tail_ = block;
  return *block;
}

char* Outbox::extend(std::size_t size) {
  LINNET_ASSERT(size > 0);
  Block& block = tail_ != nullptr && tail_->room() >= size ? *tail_ : add_block(size);
  char* target = block.end;
  block.end += size;
  size_ += size;
  return target;
}

void Outbox::append(std::string_view bytes) {
  const std::size_t first = tail_ == nullptr ? 0 : std::min(tail_->room(), bytes.size());
  if (first > 0) std::memcpy(extend(first), bytes.data(), first);
  bytes.remove_prefix(first);
  if (!bytes.empty()) std::memcpy(extend(bytes.size()), bytes.data(), bytes.size());
}

void Outbox::append_shared(const MessagePtr& owner, std::string_view bytes) {
  if (bytes.size() < kShareMin) return append(bytes);
  LINNET_ASSERT(owner);
  Block* block = pool_->refer(owner, bytes);
  (tail_ == nullptr ? head_ : tail_->next) = block;
  tail_ = block;
  size_ += bytes.size();
}

std::size_t Outbox::gather(std::span<iovec> parts) const noexcept {
  std::size_t used = 0;
  for (const Block* block = head_; block != nullptr && used < parts.size(); block = block->next) {
    parts[used++] = {block->begin, block->size()};
  }
  return used;
}

void Outbox::consume(std::size_t size) noexcept {
  LINNET_ASSERT(size <= size_);
  size_ -= size;
  while (size > 0) {
    const std::size_t taken = std::min(size, head_->size());
    head_->begin += taken;
    size -= taken;
    if (head_->begin != head_->end) break;
    Block* done = head_;
    head_ = done->next;
    if (head_ == nullptr) tail_ = nullptr;
    pool_->give(done);
  }
}

void Outbox::clear() noexcept {
  consume(size_);
}

void Outbox::use(BlockPool& pool) noexcept {
  LINNET_ASSERT(empty());
  pool_ = &pool;
}

}  // namespace linnet::net
