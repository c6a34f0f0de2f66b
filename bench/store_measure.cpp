#include "store_measure.hpp"

#include <chrono>
#include <unistd.h>
#include <utility>

#include "numbered_message.hpp"
#include "process_usage.hpp"
#include "qos1_publishers.hpp"
#include "receiver.hpp"
#include "statistics.hpp"
#include "store_disk.hpp"
#include "tally.hpp"
#include "wire.hpp"

namespace linnet::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kAwayId = "bench-store-away"sv;
constexpr auto kAwayFilter = "bench/offline/+"sv;
constexpr std::uint32_t kLatencyBlock = 100;  // broker and LMDB take turns after so many

/// What the broker uses from its construction until finish().
class Meter {
 public:
  explicit Meter(const Target& target) : pid_(target.pid) {
    if (pid_ == 0) return;
    reset_peak(pid_);
    before_ = usage_of(pid_);
  }

  void finish(StoreFigures& figures, std::uint64_t messages,
              std::chrono::duration<double> elapsed) const {
    const auto count = static_cast<double>(messages);
    figures.per_s = count / elapsed.count();
    if (pid_ == 0) return;
    // At once, before it gives anything back; what it has put off belongs to the scenario, too.
    const auto memory = memory_of(pid_);
    const auto after = settled_usage_of(pid_);
    figures.resident_mib = memory.resident_mib;
    figures.anonymous_mib = memory.anonymous_mib;
    figures.peak_mib = memory_of(pid_).peak_mib;
    figures.cpu_us = (after.cpu_s - before_.cpu_s) * 1e6 / count;
    figures.disk_bytes = static_cast<double>(after.disk_bytes - before_.disk_bytes) / count;
    figures.written_bytes =
        static_cast<double>(after.written_bytes - before_.written_bytes) / count;
  }

 private:
  const std::uint32_t pid_;
  Usage before_;
};

StoreFigures figures_of(const std::string& scenario, const DiskTimes& disk) {
  StoreFigures figures;
  figures.scenario = scenario;
  figures.sync_ms = disk.sync_ms;
  figures.commit_ms = disk.commit_ms;
  return figures;
}

Descriptor connected(const Target& target, std::string_view client_id) {
  auto socket = connect_to(target.port, target.host);
  send_whole(socket, connect_packet(client_id));
  expect(socket, kConnack);
  return socket;
}

void disconnect(const Descriptor& socket) {
  send_whole(socket, kDisconnect);
  // Its end says that the broker has heard of it.
  char rest = 0;
  if (::recv(socket.get(), &rest, 1, 0) != 0) fail("the broker does not close after DISCONNECT");
}

/// A kept session, new, subscribed and away.
void leave_session(const Target& target) {
  disconnect(connected(target, kAwayId));
  const auto socket = connect_to(target.port, target.host);
  send_whole(socket, connect_packet(kAwayId, SessionKind::kept));
  expect(socket, kConnack);
  send_whole(socket, subscribe_packet(kAwayFilter, 1));
  expect(socket, kSubackQos1);
  disconnect(socket);
}

std::vector<std::uint64_t> shares(std::uint64_t messages, std::uint32_t publishers) {
  std::vector<std::uint64_t> each(publishers, messages / publishers);
  for (std::uint64_t at = 0; at < messages % publishers; ++at)
    ++each[at];
  return each;
}

Qos1Publishers publishers_of(const Target& target, const StoreOptions& options,
                             const std::vector<std::uint64_t>& sent, MessageForm form) {
  Qos1Publishers publishers(options.window);
  const auto head = form.topic;
  for (std::size_t at = 0; at < sent.size(); ++at) {
    const auto name = std::to_string(at);
    form.topic = head + name + (form.numbered_topics ? "/" : "");
    form.publisher = static_cast<std::uint16_t>(at);
    publishers.add(connected(target, "bench-store-" + name), form, sent[at]);
  }
  return publishers;
}

void count_into(StoreFigures& figures, const Tally& tally) {
  figures.lost = static_cast<double>(tally.missing());
  figures.duplicated = static_cast<double>(tally.duplicated());
  figures.disordered = static_cast<double>(tally.disordered());
}

StoreFigures measure_offline(const Target& target, const StoreOptions& options,
                             const std::vector<std::uint64_t>& sent) {
  leave_session(target);
  auto publishers = publishers_of(
      target, options, sent, {.topic = "bench/offline/", .payload_bytes = options.payload_bytes});
  auto figures = figures_of("offline", measure_disk(options.folder));
  const Meter meter(target);
  const auto elapsed = publishers.run();
  meter.finish(figures, options.messages, elapsed);
  return figures;
}

StoreFigures measure_drain(const Target& target, const StoreOptions& options,
                           const std::vector<std::uint64_t>& sent) {
  auto figures = figures_of("drain", measure_disk(options.folder));
  Tally tally(sent);
  Receiver receiver(connect_to(target.port, target.host), tally);
  const Meter meter(target);
  const auto elapsed = receiver.receive_all(connect_packet(kAwayId, SessionKind::kept));
  receiver.receive_the_rest();
  meter.finish(figures, options.messages - tally.missing(), elapsed);
  count_into(figures, tally);
  return figures;
}

/// One message in flight; LMDB's commit is measured in between, so that both meet the same disk.
StoreFigures measure_latency(const Target& target, const StoreOptions& options) {
  leave_session(target);
  auto figures = figures_of("latency", measure_disk(options.folder));
  CommitProbe probe(options.folder);
  const auto own_pid = static_cast<std::uint32_t>(::getpid());
  NumberedMessage message({.topic = "bench/offline/0", .payload_bytes = options.payload_bytes});
  const auto socket = connected(target, "bench-store-0");
  std::vector<double> puback_ms;
  std::vector<double> commit_ms;
  std::chrono::duration<double> elapsed{};
  const Meter meter(target);
  const auto own_before = usage_of(own_pid);
  while (puback_ms.size() < options.latency_messages) {
    for (std::uint32_t at = 0; at < kLatencyBlock; ++at) {
      const auto packet = message.with(puback_ms.size());
      const auto id = NumberedMessage::packet_id_of(puback_ms.size());
      const auto began = Clock::now();
      send_whole(socket, packet);
      expect(socket, "\x40\x02" + two_bytes(id));
      const auto taken = Clock::now() - began;
      elapsed += taken;
      puback_ms.push_back(std::chrono::duration<double, std::milli>(taken).count());
    }
    for (std::uint32_t at = 0; at < kLatencyBlock; ++at)
      commit_ms.push_back(probe.commit_ms());
  }
  meter.finish(figures, puback_ms.size(), elapsed);
  figures.p50_ms = percentile(puback_ms, 50);
  figures.p99_ms = percentile(puback_ms, 99);
  const auto own_bytes = usage_of(own_pid).disk_bytes - own_before.disk_bytes;
  figures.lmdb_disk_bytes = static_cast<double>(own_bytes) / static_cast<double>(commit_ms.size());
  figures.lmdb_p50_ms = percentile(commit_ms, 50);
  figures.lmdb_p99_ms = percentile(commit_ms, 99);
  return figures;
}

Qos1Publishers retained_publishers(const Target& target, const StoreOptions& options,
                                   const std::vector<std::uint64_t>& sent) {
  return publishers_of(target, options, sent,
                       {.topic = "bench/retained/",
                        .numbered_topics = true,
                        .retained = true,
                        .payload_bytes = options.payload_bytes});
}

StoreFigures measure_retained(const Target& target, const StoreOptions& options,
                              const std::vector<std::uint64_t>& sent) {
  auto publishers = retained_publishers(target, options, sent);
  auto figures = figures_of("retained", measure_disk(options.folder));
  const Meter meter(target);
  const auto elapsed = publishers.run();
  meter.finish(figures, options.topics, elapsed);
  return figures;
}

StoreFigures measure_fetches(const Target& target, const StoreOptions& options, char qos,
                             const std::vector<std::uint64_t>& sent) {
  const auto disk = measure_disk(options.folder);
  std::vector<StoreFigures> fetches;
  for (std::uint32_t fetch = 0; fetch < options.fetches; ++fetch) {
    fetches.push_back(fetch_retained(target, qos, sent));
    fetches.back().sync_ms = disk.sync_ms;
    fetches.back().commit_ms = disk.commit_ms;
  }
  return median_of(fetches);
}

}  // namespace

std::vector<std::uint64_t> set_retained(const Target& target, const StoreOptions& options,
                                        std::uint64_t topics) {
  const auto sent = shares(topics, options.publishers);
  (void)retained_publishers(target, options, sent).run();
  return sent;
}

StoreFigures fetch_retained(const Target& target, char qos,
                            const std::vector<std::uint64_t>& sent) {
  StoreFigures figures;
  figures.scenario = qos == 0 ? "fetch" : "fetch QoS 1";
  Tally tally(sent);
  const auto expected = tally.missing();
  Receiver receiver(connected(target, "bench-store-fetch"), tally);
  const Meter meter(target);
  const auto elapsed = receiver.receive_all(subscribe_packet("#", qos));
  receiver.receive_the_rest();
  meter.finish(figures, expected - tally.missing(), elapsed);
  // Topics have no order among each other.
  figures.lost = static_cast<double>(tally.missing());
  figures.duplicated = static_cast<double>(tally.duplicated());
  return figures;
}

std::vector<StoreFigures> measure(const Target& target, const StoreOptions& options) {
  std::vector<StoreFigures> all;
  if (options.wants("offline")) {
    const auto sent = shares(options.messages, options.publishers);
    all.push_back(measure_offline(target, options, sent));
    all.push_back(measure_drain(target, options, sent));
  }
  if (options.wants("latency")) all.push_back(measure_latency(target, options));
  if (options.wants("retained")) {
    const auto sent = shares(options.topics, options.publishers);
    all.push_back(measure_retained(target, options, sent));
    all.push_back(measure_fetches(target, options, 0, sent));
    all.push_back(measure_fetches(target, options, 1, sent));
  }
  return all;
}

}  // namespace linnet::bench
