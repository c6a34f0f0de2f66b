// All mailboxes of a broker: how shards and the store reach each other. Any thread may post.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "shard/letter.hpp"

namespace linnet::shard {

class PostOffice final : public store::AnswerSink, public auth::VerdictSink {
 public:
  PostOffice() = default;
  PostOffice(const PostOffice&) = delete;
  PostOffice& operator=(const PostOffice&) = delete;

  /// Before any thread runs: adds the mailbox of the next shard.
  void add(Waker& waker, const MailboxLimits& limits) {
    mailboxes_.push_back(std::make_unique<ShardMailbox>(waker, limits));
  }
  [[nodiscard]] ShardId shards() const noexcept { return static_cast<ShardId>(mailboxes_.size()); }
  [[nodiscard]] ShardMailbox& mailbox(ShardId shard) noexcept { return *mailboxes_[shard]; }

  void answer(std::uint32_t shard, std::span<const store::Answer> answers) override {
    mailbox(shard).post(StoreLetter{{answers.begin(), answers.end()}});
  }
  void on_verdict(std::uint32_t shard, auth::LoginVerdict verdict) override {
    mailbox(shard).post(VerdictLetter{std::move(verdict)});
  }
  void has_room_again() override {
    for (const auto& mailbox : mailboxes_)
      mailbox->post(RoomLetter{});
  }

 private:
  std::vector<std::unique_ptr<ShardMailbox>> mailboxes_;
};

}  // namespace linnet::shard
