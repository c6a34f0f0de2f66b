#include <memory>
#include <vector>

#include "base/cat.hpp"
#include "bench/histogram.hpp"
#include "bench/scenarios.hpp"
#include "bench/wire.hpp"

namespace linnet::bench {

namespace {

/// A client that gets no messages.
class Quiet : public Client {
 public:
  using Client::Client;

 protected:
  [[nodiscard]] std::size_t on_bytes(std::string_view bytes) override {
    std::size_t taken = 0;
    while (loop().fault().empty()) {
      const Found found = scan(bytes.substr(taken), loop().packet_max());
      if (found.state == Scan::incomplete) break;
      if (found.state == Scan::bad) {
        fail("has sent a broken packet");
        break;
      }
      on_packet(found);
      taken += found.size;
    }
    return taken;
  }
  virtual void on_packet(const Found& found) { on_other_packet(found.first_byte, found.body); }
};

// idle --------------------------------------------------------------------------------------------

class Idler final : public Quiet {
 public:
  Idler(const Place& place, Crowd& crowd, Crowd& subscribed, std::uint32_t number)
      : Quiet(place, crowd, "client", number), subscribed_(subscribed) {}

  void subscribe(const std::string& filter) {
    ++subscribed_.opening;
    send(subscribe_packet(filter, Qos::at_most_once, version()));
  }

 private:
  void on_connack(const ConnackAnswer&) override { note_ready(); }
  void on_packet(const Found& found) override {
    if (found.first_byte != 0x90) return Quiet::on_packet(found);
    const std::string fault = suback_fault(found.body, Qos::at_most_once, version());
    if (!fault.empty()) return fail(fault);
    --subscribed_.opening;
    ++subscribed_.ready;
  }

  Crowd& subscribed_;
};

class IdleRun {
 public:
  explicit IdleRun(Stage& stage) : stage_(stage) {}

  void go() {
    if (!send_one_ahead()) return;
    const std::uint32_t count = stage_.settings().clients;
    idlers_.reserve(count);
    if (!part(
            "connected",
            [&](std::uint32_t number) {
              idlers_.push_back(
                  std::make_unique<Idler>(stage_.place(), connected_, subscribed_, number));
              idlers_.back()->begin(stage_.connect_packet("c", number));
            },
            connected_)) {
      return;
    }
    if (!part(
            "subscribed",
            [&](std::uint32_t number) {
              idlers_[number]->subscribe(cat("bench/", stage_.run_name(), '/', number));
            },
            subscribed_)) {
      return;
    }
    stage_.note_memory();
    (void)stage_.end_all(connected_, count, [&](std::uint32_t number) { idlers_[number]->end(); });
  }

 private:
  /// What the broker loads and builds up for its first client is not what each connection costs.
  [[nodiscard]] bool send_one_ahead() {
    Crowd connected;
    Crowd subscribed;
    Idler first(stage_.place(), connected, subscribed, 0);
    const auto connect = [&](std::uint32_t) { first.begin(stage_.connect_packet("first", 0)); };
    const auto subscribe = [&](std::uint32_t) {
      first.subscribe(cat("bench/", stage_.run_name(), "/first"));
    };
    return stage_.begin_all(connected, 1, connect) && stage_.begin_all(subscribed, 1, subscribe) &&
           stage_.end_all(connected, 1, [&](std::uint32_t) { first.end(); });
  }

  [[nodiscard]] bool part(const char* name, const Stage::Each& begin, Crowd& crowd) {
    const std::uint32_t count = stage_.settings().clients;
    stage_.let_rest();
    const auto before = memory();
    const Mark from = stage_.mark(0);
    const bool done = stage_.begin_all(crowd, count, begin);
    Phase& phase = stage_.add_phase(name, "client", from, stage_.mark(crowd.ready));
    if (!done) return false;
    stage_.let_rest();
    const auto after = memory();
    if (before && after) {
      phase.bytes_each = (static_cast<double>(after->resident_bytes) -
                          static_cast<double>(before->resident_bytes)) /
                         count;
    }
    return stage_.loop().may_go_on();
  }

  [[nodiscard]] std::optional<Memory> memory() const {
    return stage_.settings().pid == 0 ? std::nullopt : memory_of(stage_.settings().pid);
  }

  Stage& stage_;
  Crowd connected_;
  Crowd subscribed_;
  std::vector<std::unique_ptr<Idler>> idlers_;
};

// connect -----------------------------------------------------------------------------------------

/// Connects, and goes as soon as it is let in.
class Visitor final : public Quiet {
 public:
  Visitor(const Place& place, Crowd& crowd, std::uint32_t number, Histogram& latency)
      : Quiet(place, crowd, "client", number), latency_(latency) {}

  void visit(std::string connect_packet) {
    began_ns_ = now_ns();
    begin(std::move(connect_packet));
  }
  [[nodiscard]] bool is_away() const noexcept { return !has_socket(); }

 private:
  void on_connack(const ConnackAnswer&) override {
    latency_.add(loop().now() - began_ns_);
    note_ready();
    end();
  }

  Histogram& latency_;
  std::uint64_t began_ns_ = 0;
};

}  // namespace

void run_idle(Stage& stage) {
  IdleRun(stage).go();
}

void run_connect(Stage& stage) {
  const Settings& settings = stage.settings();
  auto latency = std::make_unique<Histogram>();
  Crowd crowd;
  std::vector<std::unique_ptr<Visitor>> visitors;
  for (std::uint32_t number = 0; number < settings.clients; ++number)
    visitors.push_back(std::make_unique<Visitor>(stage.place(), crowd, number, *latency));
  const Mark from = stage.mark(0);
  const std::uint64_t end = from.time_ns + settings.duration_ms * kMillisecondNs;
  std::uint64_t begun = 0;
  const auto may_begin = [&] {
    return settings.messages > 0 ? begun < settings.messages : now_ns() < end;
  };
  stage.progress().begin("connect", from.time_ns);
  const auto turn = [&] {
    for (std::uint32_t number = 0; number < settings.clients; ++number) {
      if (!visitors[number]->is_away() || !stage.loop().fault().empty() || !may_begin()) continue;
      visitors[number]->visit(stage.connect_packet("c", number));
      ++begun;
    }
    stage.progress().show(crowd.ended, begun - crowd.ended, stage.loop().now());
    return crowd.ended == begun;
  };
  (void)stage.wait_until(
      turn, [&] { return crowd.ended; }, "does not answer those who connect");
  Phase& phase = stage.add_phase("connect", "connection", from, stage.mark(crowd.ended));
  phase.latency = Latency::of(*latency);
  stage.note_memory();
}

}  // namespace linnet::bench
