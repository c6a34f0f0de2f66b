#include "transports_latency.hpp"

#include <array>
#include <sys/timerfd.h>
#include <utility>

namespace linnet::bench {

namespace {

std::int64_t now_ns() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void set_pace(const Descriptor& timer, std::uint32_t per_second) {
  const std::int64_t between_ns = per_second == 0 ? 0 : 1'000'000'000 / per_second;
  itimerspec pace{};
  pace.it_value.tv_sec = pace.it_interval.tv_sec = between_ns / 1'000'000'000;
  pace.it_value.tv_nsec = pace.it_interval.tv_nsec = between_ns % 1'000'000'000;
  if (::timerfd_settime(timer.get(), 0, &pace, nullptr) != 0) fail_errno("timerfd");
}

}  // namespace

PairTraffic::PairTraffic(Transport transport, std::uint32_t port, std::uint32_t pairs,
                         std::uint32_t messages_per_s)
    : transport_(transport),
      port_(port),
      messages_per_s_(messages_per_s),
      context_(client_context(transport)),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  for (std::size_t index = 0; index < pairs; ++index)
    add_pair(index);
  poll_.add(timer_, pairs_.size());
}

void PairTraffic::add_pair(std::size_t index) {
  const auto number = std::to_string(index);
  const auto topic = "bench/pair/" + number;
  TransportClient subscriber(transport_, port_, context_.get());
  subscriber.send_whole(connect_packet("bench-to-" + number));
  subscriber.expect(kConnack);
  subscriber.send_whole(subscribe_packet(topic));
  subscriber.expect(kSuback);
  TransportClient publisher(transport_, port_, context_.get());
  publisher.send_whole(connect_packet("bench-from-" + number));
  publisher.expect(kConnack);
  auto head = packet('\x30', with_length(topic) + std::string(kPayloadBytes, 'x'));
  head.resize(head.size() - kPayloadBytes);
  poll_.add(subscriber.socket(), index);
  pairs_.push_back({.publisher = std::move(publisher),
                    .subscriber = std::move(subscriber),
                    .head = std::move(head),
                    .unfinished = {}});
}

Latencies PairTraffic::run(std::chrono::seconds duration) {
  Latencies latencies;
  latencies.ms.reserve(static_cast<std::size_t>(duration.count()) * messages_per_s_ + 1'000);
  set_pace(timer_, messages_per_s_);
  for (const auto end = Clock::now() + duration; Clock::now() < end;)
    wait(latencies);
  set_pace(timer_, 0);
  for (const auto end = Clock::now() + kDrainTimeout; outstanding_ > 0 && Clock::now() < end;)
    wait(latencies);
  latencies.lost = std::exchange(outstanding_, 0);
  return latencies;
}

void PairTraffic::wait(Latencies& latencies) {
  constexpr std::chrono::milliseconds kWait{10};
  poll_.wait(kWait, [&](std::size_t index) {
    if (index < pairs_.size()) return receive(pairs_[index], latencies);
    std::uint64_t due = 0;
    if (::read(timer_.get(), &due, sizeof due) == sizeof due) send_due(due);
  });
}

void PairTraffic::send_due(std::uint64_t due) {
  for (; due > 0; --due) {
    auto& pair = pairs_[next_pair_];
    next_pair_ = (next_pair_ + 1) % pairs_.size();
    std::array<char, kPayloadBytes> payload{};
    const auto sent_ns = now_ns();
    std::memcpy(payload.data(), &sent_ns, sizeof sent_ns);
    const auto packet =
        pair.publisher.framed(pair.head + std::string(payload.data(), payload.size()));
    // It never waits: a broker that takes no more has to show as one that is late, and not as one
    // that was asked for less.
    if (pair.publisher.send(packet) != packet.size()) fail("the broker does not read");
    ++outstanding_;
  }
}

void PairTraffic::receive(Pair& pair, Latencies& latencies) {
  std::array<char, 16 << 10> buffer;
  const auto packet_bytes = pair.head.size() + kPayloadBytes;
  do {
    const auto got = pair.subscriber.receive(buffer.data(), buffer.size());
    pair.unfinished.append(buffer.data(), got);
  } while (pair.subscriber.has_more());
  const auto received_ns = now_ns();
  std::string_view bytes = pair.unfinished;
  for (; bytes.size() >= packet_bytes; bytes.remove_prefix(packet_bytes)) {
    if (!bytes.starts_with(pair.head)) fail("a subscriber got what nobody sent it");
    std::int64_t sent_ns = 0;
    std::memcpy(&sent_ns, bytes.data() + pair.head.size(), sizeof sent_ns);
    latencies.ms.push_back(static_cast<double>(received_ns - sent_ns) / 1e6);
    --outstanding_;
  }
  pair.unfinished.erase(0, pair.unfinished.size() - bytes.size());
}

}  // namespace linnet::bench
