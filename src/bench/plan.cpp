#include "bench/plan.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "base/cat.hpp"
#include "base/random.hpp"
#include "base/topic.hpp"

namespace linnet::bench {

namespace {

using Numbers = std::vector<std::uint32_t>;

/// "bench/RUN/4/0/7": three levels, so that filters have something to choose from.
std::string deep_topic(const std::string& root, std::uint32_t topic) {
  return cat(root, '/', topic / 100, '/', topic / 10 % 10, '/', topic % 10);
}

std::vector<std::string> topics_of(const Settings& settings, const std::string& root) {
  std::vector<std::string> topics;
  topics.reserve(settings.topics);
  const bool deep = settings.scenario == Scenario::wildcard;
  for (std::uint32_t topic = 0; topic < settings.topics; ++topic)
    topics.push_back(deep ? deep_topic(root, topic) : cat(root, '/', topic));
  return topics;
}

/// A third each: exact, with + in one of the levels, with # in the last.
std::string wildcard_filter(const Settings& settings, const std::string& root, Random& random) {
  const auto topic = static_cast<std::uint32_t>(random.below(settings.topics));
  const auto high = cat(topic / 100);
  const auto middle = cat(topic / 10 % 10);
  const auto low = cat(topic % 10);
  switch (random.below(9)) {
    case 0:
    case 1:
    case 2: return deep_topic(root, topic);
    case 3: return cat(root, "/+/", middle, '/', low);
    case 4: return cat(root, '/', high, "/+/", low);
    case 5: return cat(root, '/', high, '/', middle, "/+");
    default: return cat(root, '/', high, '/', middle, "/#");
  }
}

std::string filter_of(const Settings& settings, const std::string& run, std::uint32_t receiver,
                      Random& random) {
  const std::string root = cat("bench/", run);
  switch (settings.scenario) {
    case Scenario::wildcard: return wildcard_filter(settings, root, random);
    case Scenario::shared: return cat("$share/", run, '/', root, "/#");
    case Scenario::fanin:
    case Scenario::retained: return cat(root, "/#");
    default: return cat(root, '/', receiver % settings.topics);
  }
}

/// Which topics a filter matches; few filters are different from all others.
class Matches {
 public:
  explicit Matches(const std::vector<std::string>& topics) : topics_(topics) {
    for (std::uint32_t topic = 0; topic < topics.size(); ++topic)
      known_.emplace(topics[topic], Numbers{topic});
  }

  const Numbers& of(const std::string& text) {
    const std::string filter(split_shared_filter(text).parts.filter);
    const auto [at, added] = known_.try_emplace(filter);
    for (std::uint32_t topic = 0; added && topic < topics_.size(); ++topic) {
      if (topic_matches(filter, topics_[topic])) at->second.push_back(topic);
    }
    return at->second;
  }

 private:
  const std::vector<std::string>& topics_;
  std::unordered_map<std::string, Numbers> known_;
};

/// The streams of each topic.
std::vector<Numbers> add_streams(const Settings& settings, const std::vector<std::string>& topics,
                                 Plan& plan) {
  std::vector<Numbers> by_topic(topics.size());
  plan.streams_of.resize(settings.publishers);
  const std::uint32_t streams = std::max(settings.topics, settings.publishers);
  for (std::uint32_t stream = 0; stream < streams; ++stream) {
    const std::uint32_t topic = stream % settings.topics;
    const std::uint32_t publisher = stream % settings.publishers;
    plan.streams.push_back({publisher, topics[topic], 0});
    plan.streams_of[publisher].push_back(stream);
    by_topic[topic].push_back(stream);
  }
  return by_topic;
}

}  // namespace

std::uint32_t Plan::fanout_max() const noexcept {
  std::uint32_t most = 0;
  for (const Stream& stream : streams)
    most = std::max(most, stream.fanout);
  return most;
}

Plan make_plan(const Settings& settings, const std::string& run) {
  Plan plan;
  plan.shared = settings.scenario == Scenario::shared;
  plan.random = settings.scenario == Scenario::wildcard;
  const std::vector<std::string> topics = topics_of(settings, cat("bench/", run));
  const std::vector<Numbers> by_topic = add_streams(settings, topics, plan);
  Matches matches(topics);
  Random random(settings.seed);
  for (std::uint32_t number = 0; number < settings.subscribers; ++number) {
    Plan::Receiver receiver{filter_of(settings, run, number, random), {}};
    for (const std::uint32_t topic : matches.of(receiver.filter)) {
      receiver.streams.insert(receiver.streams.end(), by_topic[topic].begin(),
                              by_topic[topic].end());
    }
    std::sort(receiver.streams.begin(), receiver.streams.end());
    for (const std::uint32_t stream : receiver.streams)
      plan.streams[stream].fanout = plan.shared ? 1 : plan.streams[stream].fanout + 1;
    plan.receivers.push_back(std::move(receiver));
  }
  return plan;
}

}  // namespace linnet::bench
