#include "net/outbox.hpp"

#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <string>

#include "base/random.hpp"
#include "net/block_pool.hpp"

namespace linnet::net {
namespace {

MessagePtr message_of(std::string_view payload) {
  MessageView view;
  view.topic = "t";
  view.payload = payload;
  return Message::make(view);
}

std::string gathered(const Outbox& outbox, std::size_t parts_max) {
  std::array<iovec, 64> parts{};
  const std::size_t used = outbox.gather({parts.data(), parts_max});
  std::string text;
  for (std::size_t at = 0; at < used; ++at) {
    text.append(static_cast<const char*>(parts[at].iov_base), parts[at].iov_len);
  }
  return text;
}

std::string pattern(Random& random, std::size_t size) {
  std::string text(size, ' ');
  for (char& letter : text)
    letter = static_cast<char>('a' + random.below(26));
  return text;
}

TEST(Outbox, holds_no_memory_when_it_is_empty) {
  BlockPool pool;
  Outbox outbox(pool);
  EXPECT_EQ(pool.used_bytes(), 0U);
  outbox.append("");
  EXPECT_EQ(pool.used_bytes(), 0U);
  outbox.append("hello");
  EXPECT_EQ(pool.used_bytes(), 1024U) << "a small block for few bytes";
  outbox.consume(5);
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(pool.used_bytes(), 0U);
  EXPECT_EQ(pool.kept_bytes(), 1024U);
}

TEST(Outbox, fills_its_last_block_before_it_takes_another) {
  BlockPool pool;
  Outbox outbox(pool);
  for (std::size_t at = 0; at < BlockPool::kSmall; ++at)
    outbox.append("x");
  EXPECT_EQ(pool.used_bytes(), 1024U);
  outbox.append("x");
  EXPECT_EQ(pool.used_bytes(), 1024U + 16'384U) << "much to send takes large blocks";
}

TEST(Outbox, extends_by_contiguous_memory) {
  BlockPool pool;
  Outbox outbox(pool);
  outbox.append("ab");
  constexpr std::size_t kSize = 100'000;
  std::memset(outbox.extend(kSize), 'z', kSize);
  EXPECT_EQ(outbox.size(), kSize + 2);
  EXPECT_EQ(gathered(outbox, 64), "ab" + std::string(kSize, 'z'));
  outbox.clear();
  EXPECT_EQ(pool.used_bytes(), 0U);
  EXPECT_EQ(pool.kept_bytes(), 1024U) << "a block of its own size goes back to the heap";
}

TEST(Outbox, refers_to_large_payloads_and_copies_small_ones) {
  BlockPool pool;
  Outbox outbox(pool);
  const MessagePtr large = message_of(std::string(Outbox::kShareMin, 'L'));
  const MessagePtr small = message_of(std::string(Outbox::kShareMin - 1, 's'));
  outbox.append_shared(large, large->payload());
  std::array<iovec, 2> parts{};
  ASSERT_EQ(outbox.gather(parts), 1U);
  EXPECT_EQ(parts[0].iov_base, large->payload().data());
  outbox.append_shared(small, small->payload());
  ASSERT_EQ(outbox.gather(parts), 2U);
  EXPECT_NE(parts[1].iov_base, small->payload().data());
}

TEST(Outbox, keeps_a_payload_alive_until_it_is_sent) {
  BlockPool pool;
  Outbox outbox(pool);
  const std::string payload(10'000, 'p');
  {
    const MessagePtr message = message_of(payload);
    outbox.append_shared(message, message->payload());
  }
  outbox.consume(1000);
  EXPECT_EQ(gathered(outbox, 64), payload.substr(1000));
}

TEST(Outbox, moves_to_another_pool_when_it_is_empty) {
  BlockPool first;
  BlockPool second;
  Outbox outbox(first);
  outbox.use(second);
  outbox.append("x");
  EXPECT_EQ(first.used_bytes(), 0U);
  EXPECT_EQ(second.used_bytes(), 1024U);
}

TEST(Outbox, agrees_with_a_string) {
  Random random(11);
  BlockPool pool;
  Outbox outbox(pool);
  std::string model;
  for (int step = 0; step < 20'000; ++step) {
    const auto choice = random.below(10);
    const std::string text = pattern(random, 1 + random.below(std::size_t{1} << random.below(15)));
    if (choice < 3) {
      outbox.append(text);
      model += text;
    } else if (choice < 5) {
      std::memcpy(outbox.extend(text.size()), text.data(), text.size());
      model += text;
    } else if (choice < 7) {
      const MessagePtr message = message_of(text);
      outbox.append_shared(message, message->payload());
      model += text;
    } else {
      const std::size_t size = random.below(std::min<std::size_t>(model.size(), 20'000) + 1);
      outbox.consume(size);
      model.erase(0, size);
    }
    ASSERT_EQ(outbox.size(), model.size());
    ASSERT_EQ(outbox.empty(), pool.used_bytes() == 0);
    const std::string head = gathered(outbox, 1 + random.below(3));
    ASSERT_EQ(head, model.substr(0, head.size()));
    if (model.size() > 200'000) {
      outbox.clear();
      model.clear();
    }
  }
}

TEST(BlockPool, keeps_a_bounded_amount) {
  BlockPool pool;
  {
    Outbox outbox(pool);
    const std::string text(1 << 20, 'x');
    for (int at = 0; at < 16 * 64; ++at)
      outbox.append(text.substr(0, BlockPool::kLarge));
    EXPECT_GT(pool.used_bytes(), BlockPool::kKeepBytes * 3);
  }
  EXPECT_EQ(pool.used_bytes(), 0U);
  EXPECT_LE(pool.kept_bytes(), BlockPool::kKeepBytes);
  EXPECT_GT(pool.kept_bytes(), BlockPool::kKeepBytes / 2);
}

}  // namespace
}  // namespace linnet::net
