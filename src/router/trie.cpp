#include "router/trie.hpp"

#include "base/assert.hpp"
#include "base/hash.hpp"
#include "base/topic.hpp"

namespace linnet::router {

namespace {

std::uint32_t edge_hash(NodeIndex parent, std::uint64_t level_hash) noexcept {
  const std::uint64_t mixed = (level_hash + parent) * 0x9E37'79B9'7F4A'7C15ULL;
  return static_cast<std::uint32_t>(mixed >> 32);
}

}  // namespace

Trie::Trie(std::uint64_t seed) : seed_(seed) {
  chunks_.push_back(std::make_unique<TrieNode[]>(kChunkNodes));
}

bool Trie::EdgeEqual::operator()(const Probe& probe, const Edge& edge) const noexcept {
  if (probe.hash != edge.hash) return false;
  const TrieNode& node = probe.trie->at(edge.child);
  return node.parent == probe.parent && node.level.view() == probe.level;
}

std::uint64_t Trie::hash_of(std::string_view level) const noexcept {
  return hash64(level, seed_);
}

NodeIndex Trie::literal_child(NodeIndex parent, const Level& level) const noexcept {
  const auto edge = edges_.find(Probe{edge_hash(parent, level.hash), parent, level.text, this});
  return edge == edges_.end() ? kNoNode : edge->child;
}

NodeIndex Trie::child(NodeIndex parent, std::string_view level) const noexcept {
  if (level == "+") return at(parent).plus_child;
  if (level == "#") return at(parent).hash_child;
  return literal_child(parent, {level, hash_of(level)});
}

NodeIndex Trie::find(std::string_view filter) const noexcept {
  NodeIndex index = kRoot;
  for (TopicLevels levels(filter); levels.next();) {
    index = child(index, levels.level());
    if (index == kNoNode) return kNoNode;
  }
  return index;
}

NodeIndex Trie::obtain(std::string_view filter) {
  LINNET_ASSERT(!filter.empty());
  NodeIndex index = kRoot;
  for (TopicLevels levels(filter); levels.next();) {
    const NodeIndex next = child(index, levels.level());
    index = next == kNoNode ? add_child(index, levels.level()) : next;
  }
  return index;
}

NodeIndex Trie::add_child(NodeIndex parent, std::string_view level) {
  const NodeIndex index = take_free_node();
  TrieNode& node = at(index);
  TrieNode& above = at(parent);
  node.parent = parent;
  node.level.assign(level);
  if (level == "+") {
    above.plus_child = index;
  } else if (level == "#") {
    above.hash_child = index;
  } else {
    edges_.insert(Edge{edge_hash(parent, hash_of(level)), index});
    ++above.literal_children;
  }
  return index;
}

NodeIndex Trie::take_free_node() {
  ++size_;
  if (first_free_ != kNoNode) {
    const NodeIndex index = first_free_;
    first_free_ = at(index).parent;
    return index;
  }
  if (end_ == chunks_.size() * kChunkNodes) {
    chunks_.push_back(std::make_unique<TrieNode[]>(kChunkNodes));
  }
  return end_++;
}

void Trie::prune(NodeIndex index) {
  while (index != kRoot && !at(index).is_wanted() && !at(index).has_children()) {
    const NodeIndex parent = at(index).parent;
    remove(index);
    index = parent;
  }
  if (size_ > 0) return;
  // Whatever a flood of filters once took is given back when the last of them goes.
  chunks_.resize(1);
  chunks_.shrink_to_fit();
  edges_ = {};
  first_free_ = kNoNode;
  end_ = 1;
}

void Trie::remove(NodeIndex index) {
  TrieNode& node = at(index);
  TrieNode& above = at(node.parent);
  const std::string_view level = node.level.view();
  if (above.plus_child == index) {
    above.plus_child = kNoNode;
  } else if (above.hash_child == index) {
    above.hash_child = kNoNode;
  } else {
    edges_.erase(Edge{edge_hash(node.parent, hash_of(level)), index});
    --above.literal_children;
  }
  node.level.clear();
  node.parent = first_free_;
  first_free_ = index;
  --size_;
}

void Trie::match(std::string_view topic, std::vector<NodeIndex>& out) {
  out.clear();
  levels_.clear();
  steps_.clear();
  const bool is_reserved = topic.starts_with('$');  // MQTT-4.7.2-1
  const auto take = [&](NodeIndex index) {
    if (at(index).is_wanted()) out.push_back(index);
  };
  TopicLevels rest(topic);
  steps_.push_back({kRoot, 0});
  while (!steps_.empty()) {
    const Step step = steps_.back();
    steps_.pop_back();
    const TrieNode& node = at(step.node);
    const bool wildcards = !(is_reserved && step.node == kRoot);
    if (wildcards && node.hash_child != kNoNode) take(node.hash_child);
    // Levels are split off only as deep as filters reach: a topic of thousands costs nothing.
    if (step.depth == levels_.size()) {
      if (!rest.next()) {
        take(step.node);
        continue;
      }
      levels_.push_back({rest.level(), hash_of(rest.level())});
    }
    if (wildcards && node.plus_child != kNoNode)
      steps_.push_back({node.plus_child, step.depth + 1});
    if (node.literal_children == 0) continue;
    const NodeIndex next = literal_child(step.node, levels_[step.depth]);
    if (next != kNoNode) steps_.push_back({next, step.depth + 1});
  }
}

void Trie::filter_of(NodeIndex index, std::string& out) const {
  std::size_t size = 0;
  for (NodeIndex at_node = index; at_node != kRoot; at_node = at(at_node).parent) {
    size += at(at_node).level.view().size() + 1;
  }
  LINNET_ASSERT(size > 0);
  out.assign(size - 1, '/');
  std::size_t end = size - 1;
  while (index != kRoot) {
    const TrieNode& node = at(index);
    const std::string_view level = node.level.view();
    end -= level.size();
    level.copy(out.data() + end, level.size());
    if (end > 0) --end;  // the separator in front of it
    index = node.parent;
  }
}

void Trie::for_each_wanted(FunctionRef<void(NodeIndex, const TrieNode&)> visit) const {
  for (NodeIndex index = 1; index < end_; ++index) {
    if (at(index).is_wanted()) visit(index, at(index));
  }
}

}  // namespace linnet::router
