// What it costs to find the subscribers of a topic among many filters: see scale.py. One router,
// alone in its process, since what a process has freed before is not what memory costs.
//
//   bench_matching --filters 100000 --kind mixed --levels 4     a line of JSON
//
// Times are the thread's CPU time; of several runs the fastest, since whatever else the machine
// does can only add to it.
#include <algorithm>
#include <array>
#include <iostream>
#include <malloc.h>
#include <numeric>
#include <random>
#include <string>
#include <time.h>
#include <vector>

#include "matching_filters.hpp"
#include "option_table.hpp"
#include "router/router.hpp"

namespace {

using namespace linnet;
using namespace linnet::bench;

struct Options {
  std::uint32_t filters = 1000;
  std::uint32_t levels = 4;
  std::uint32_t filters_each = 10;  // of one subscriber
  std::uint32_t same = 0;           // not 0: all subscribers have the same filters
  std::string kind = "exact";
  std::vector<std::string> settings;
};

void make_quick(Options&) {}

constexpr int kRuns = 5;
constexpr std::size_t kTopicsMax = 100'000;
constexpr std::size_t kHotTopics = 1'000;
constexpr double kRunNs = 2e7;
constexpr std::size_t kLookupsMin = 1'000;  // between two looks at the clock, which are not cheap

class Nobody final : public router::Subscriber {
 public:
  void deliver(Publication&, const router::Target&, std::span<const std::uint32_t>,
               router::Delivering&) override {}
  [[nodiscard]] bool durable() const noexcept override { return false; }

  router::SubscriptionList list;
};

double cpu_ns() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) * 1e9 + static_cast<double>(used.tv_nsec);
}

double heap_bytes() {
  const auto info = ::mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

/// What one lookup takes, over these topics in their order.
double lookup_ns(router::Router& router, const std::vector<std::string>& topics) {
  double best = 1e18;
  for (int run = 0; run < kRuns; ++run) {
    std::uint64_t count = 0;
    const double begin = cpu_ns();
    double end = begin;
    do {
      for (std::size_t done = 0; done < kLookupsMin; done += topics.size()) {
        for (const std::string& topic : topics)
          (void)router.route(topic);
        count += topics.size();
      }
      end = cpu_ns();
    } while (end - begin < kRunNs);
    best = std::min(best, (end - begin) / static_cast<double>(count));
  }
  return best;
}

/// As many as there are, or as are enough for no cache to hold what they lead to; each once, in an
/// order by chance.
std::vector<std::string> drawn_topics(const Options& options, FilterKind kind) {
  std::mt19937 random(1);
  if (kind == FilterKind::all) return {fleet_filter(kind, 0, options.levels)};
  std::vector<std::uint32_t> numbers(options.same > 0 ? options.filters_each : options.filters);
  std::iota(numbers.begin(), numbers.end(), 0);
  std::shuffle(numbers.begin(), numbers.end(), random);
  numbers.resize(std::min<std::size_t>(numbers.size(), kTopicsMax));
  std::vector<std::string> topics;
  topics.reserve(numbers.size());
  for (const std::uint32_t number : numbers)
    topics.push_back(fleet_topic(number, options.levels));
  return topics;
}

/// Bytes of memory for each filter that another shard's subscribers want.
double interest_bytes(const Options& options, const std::vector<std::string>& filters) {
  const double before = heap_bytes();
  router::Router router({.cache_bytes_max = 0});
  for (const std::string& filter : filters)
    router.set_interest(filter, 1, true);
  return (heap_bytes() - before) / options.filters;
}

int run(const Options& options, FilterKind kind) {
  std::vector<std::string> filters;
  filters.reserve(options.filters);
  for (std::uint32_t number = 0; number < options.filters; ++number) {
    const auto which = options.same > 0 ? number % options.filters_each : number;
    filters.push_back(fleet_filter(kind, which, options.levels));
  }
  const double interest_each = interest_bytes(options, filters);

  std::vector<Nobody> subscribers((options.filters - 1) / options.filters_each + 1);
  const double before = heap_bytes();
  router::Router router({.cache_bytes_max = 0});
  const double begun = cpu_ns();
  for (std::uint32_t number = 0; number < options.filters; ++number) {
    Nobody& subscriber = subscribers[number / options.filters_each];
    router.subscribe(filters[number], {}, subscriber, subscriber.list);
  }
  const double subscribe_ns = (cpu_ns() - begun) / options.filters;
  const double bytes_each = (heap_bytes() - before) / options.filters;

  std::vector<std::string> topics = drawn_topics(options, kind);
  const auto matches = router.route(topics.front()).targets.size();
  if (matches == 0) fail("a filter does not match its topic");
  const double cold_ns = lookup_ns(router, topics);
  router.limit_cache(router::RouterOptions{}.cache_bytes_max);
  const double mostly_missed_ns = topics.size() == kTopicsMax ? lookup_ns(router, topics) : 0;
  topics.resize(std::min(topics.size(), kHotTopics));
  const double warm_ns = lookup_ns(router, topics);

  const double unsubscribed = cpu_ns();
  for (Nobody& subscriber : subscribers) {
    while (subscriber.list.first != nullptr)
      router.unsubscribe(*subscriber.list.first, subscriber.list);
  }
  const double unsubscribe_ns = (cpu_ns() - unsubscribed) / options.filters;
  std::cout << R"({"kind": ")" << options.kind << R"(", "filters": )" << options.filters
            << R"(, "levels": )" << options.levels << R"(, "targets": )" << matches
            << R"(, "cold_ns": )" << cold_ns << R"(, "missed_ns": )" << mostly_missed_ns
            << R"(, "warm_ns": )" << warm_ns << R"(, "subscribe_ns": )" << subscribe_ns
            << R"(, "unsubscribe_ns": )" << unsubscribe_ns << R"(, "bytes_each": )" << bytes_each
            << R"(, "interest_bytes_each": )" << interest_each << "}\n";
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  Options options;
  static constexpr std::array kNumbers = {
      NumberOption<Options>{"--filters", &Options::filters, 1, 10'000'000},
      NumberOption<Options>{"--levels", &Options::levels, 1, 128},
      NumberOption<Options>{"--filters-each", &Options::filters_each, 1, 1'000'000},
      NumberOption<Options>{"--same", &Options::same, 0, 1},
  };
  static constexpr std::array kTexts = {TextOption<Options>{"--kind", &Options::kind}};
  OptionTable<Options>(kNumbers, kTexts).read(options, 1, count, arguments);
  FilterKind kind{};
  if (!parse(options.kind, kind)) fail("there is no kind " + options.kind);
  if (kind == FilterKind::all && options.levels > 20) fail("--kind all takes at most 20 levels");
  if (kind == FilterKind::all) options.filters = 1U << options.levels;
  return run(options, kind);
}
