// The bytes that a link still has to send, in order: a chain of blocks from the shard's pool, and
// of payloads too large to be copied, which are held by their message. An empty outbox holds no
// memory. One shard's thread only.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <sys/uio.h>

#include "base/message.hpp"

namespace linnet::net {

struct Block;
class BlockPool;

class Outbox {
 public:
  /// Payloads from this size on are referenced and not copied, in bytes.
  static constexpr std::size_t kShareMin = 4096;

  explicit Outbox(BlockPool& pool) noexcept : pool_(&pool) {}
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox() { clear(); }

  /// Bytes not sent yet, referenced payloads included.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  /// `size` bytes of contiguous memory at the end, which the caller fills at once; `size` is not 0.
  [[nodiscard]] char* extend(std::size_t size);
  void append(std::string_view bytes);
  /// Appends bytes that stand inside `owner`: by reference if they are many, else by copying.
  void append_shared(const MessagePtr& owner, std::string_view bytes);

  /// Fills `parts` with what is to be sent first; returns how many are used.
  [[nodiscard]] std::size_t gather(std::span<iovec> parts) const noexcept;
  /// Forgets the first `size` bytes: they have been sent.
  void consume(std::size_t size) noexcept;
  void clear() noexcept;

  /// An outbox that is moved to another shard is empty and changes its pool.
  void use(BlockPool& pool) noexcept;

 private:
  /// The next block to fill: small for the first bytes, large when a block was not enough.
  Block& add_block(std::size_t size);

  BlockPool* pool_;
  Block* head_ = nullptr;
  Block* tail_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace linnet::net
