// The trie of topic filters: one node for each level, shared by all filters that begin alike.
//
// Nodes stand in chunks and are named by index. A node knows its `+` and its `#` child; all other
// edges of the whole trie are in one hash table from (parent, level) to child, so that a node with
// a million children costs no more per child than one with two. Private to this room.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>

#include "base/function_ref.hpp"
#include "router/level_text.hpp"
#include "router/router.hpp"

namespace linnet::router {

using NodeIndex = std::uint32_t;
inline constexpr NodeIndex kNoNode = 0;  // the root, which is the node of no filter

struct TrieNode {
  Subscription* first = nullptr;  // of the local subscriptions to the filter that ends here
  ShardMask interest = 0;         // other shards that want that filter
  LevelText level;
  NodeIndex parent = kNoNode;  // of a free node: the next free one
  NodeIndex plus_child = kNoNode;
  NodeIndex hash_child = kNoNode;
  std::uint32_t literal_children = 0;

  [[nodiscard]] bool is_wanted() const noexcept { return first != nullptr || interest != 0; }
  [[nodiscard]] bool has_children() const noexcept {
    return literal_children != 0 || plus_child != kNoNode || hash_child != kNoNode;
  }
};

class Trie {
 public:
  /// `seed` keeps clients from choosing levels that collide in the table of edges.
  explicit Trie(std::uint64_t seed);
  Trie(const Trie&) = delete;
  Trie& operator=(const Trie&) = delete;
  ~Trie() = default;

  /// The node of a filter; kNoNode if there is none.
  [[nodiscard]] NodeIndex find(std::string_view filter) const noexcept;
  /// The node of a filter, made if there is none. References to nodes stay valid.
  [[nodiscard]] NodeIndex obtain(std::string_view filter);
  /// Removes a node that nobody wants and that has no children, then its parent likewise, and so
  /// on upwards.
  void prune(NodeIndex index);

  [[nodiscard]] TrieNode& at(NodeIndex index) noexcept {
    return chunks_[index / kChunkNodes][index % kChunkNodes];
  }
  [[nodiscard]] const TrieNode& at(NodeIndex index) const noexcept {
    return chunks_[index / kChunkNodes][index % kChunkNodes];
  }

  /// Replaces `out` by the wanted nodes whose filters match a topic name, each once.
  void match(std::string_view topic, std::vector<NodeIndex>& out);

  /// Replaces `out` by the filter of a node.
  void filter_of(NodeIndex index, std::string& out) const;
  void for_each_wanted(FunctionRef<void(NodeIndex, const TrieNode&)> visit) const;

  /// How many nodes there are, without the root.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  static constexpr NodeIndex kRoot = 0;
  static constexpr std::size_t kChunkNodes = 256;

  struct Edge {
    std::uint32_t hash;  // of the child's parent and level
    NodeIndex child;
  };
  struct Probe {  // an edge that is looked for
    std::uint32_t hash;
    NodeIndex parent;
    std::string_view level;
    const Trie* trie;
  };
  struct EdgeHash {
    using is_transparent = void;
    std::size_t operator()(const Edge& edge) const noexcept { return edge.hash; }
    std::size_t operator()(const Probe& probe) const noexcept { return probe.hash; }
  };
  struct EdgeEqual {
    using is_transparent = void;
    bool operator()(const Edge& a, const Edge& b) const noexcept { return a.child == b.child; }
    bool operator()(const Probe& probe, const Edge& edge) const noexcept;
    bool operator()(const Edge& edge, const Probe& probe) const noexcept {
      return operator()(probe, edge);
    }
  };
  struct Level {
    std::string_view text;
    std::uint64_t hash;
  };
  struct Step {  // a node whose first `depth` levels are those of the topic
    NodeIndex node;
    std::uint32_t depth;
  };

  [[nodiscard]] std::uint64_t hash_of(std::string_view level) const noexcept;
  [[nodiscard]] NodeIndex child(NodeIndex parent, std::string_view level) const noexcept;
  [[nodiscard]] NodeIndex literal_child(NodeIndex parent, const Level& level) const noexcept;
  [[nodiscard]] NodeIndex add_child(NodeIndex parent, std::string_view level);
  void remove(NodeIndex index);
  [[nodiscard]] NodeIndex take_free_node();

  const std::uint64_t seed_;

  std::vector<std::unique_ptr<TrieNode[]>> chunks_;
  boost::unordered_flat_set<Edge, EdgeHash, EdgeEqual> edges_;
  NodeIndex first_free_ = kNoNode;
  NodeIndex end_ = 1;  // of the indices that were ever given out
  std::size_t size_ = 0;

  std::vector<Level> levels_;  // match() only: kept for their memory
  std::vector<Step> steps_;
};

}  // namespace linnet::router
