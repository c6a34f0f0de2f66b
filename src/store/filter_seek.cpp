#include "store/filter_seek.hpp"

#include <algorithm>

#include "base/topic.hpp"
#include "store/keys.hpp"

namespace linnet::store {

namespace {

constexpr auto npos = std::string_view::npos;

bool is_wildcard(std::string_view level) noexcept {
  return level == "+" || level == "#";
}

/// Topics with a hashed key that begin alike stand in no order among themselves: what the bytes
/// behind the prefix decide is decided for one of them only.
bool decides_for_one(std::string_view topic, std::size_t at) noexcept {
  return is_hashed(topic) && at >= kNameMax;
}

std::size_t common_size(std::string_view a, std::string_view b) noexcept {
  const auto end = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(end.first - a.begin());
}

}  // namespace

FilterSeek::FilterSeek(std::string_view filter) {
  for (TopicLevels levels(filter); levels.next();) {
    levels_.push_back(levels.level());
  }
}

std::string_view FilterSeek::start() {
  target_.clear();
  append_literals(0);
  // LMDB has no empty keys, and all of them are behind this one or are it.
  if (target_.empty()) target_.push_back('\0');
  return target_;
}

FilterSeek::Look FilterSeek::look(std::string_view topic) {
  if (topic.starts_with('$') && is_wildcard(levels_.front())) {
    target_ = '$' + 1;
    return {false, Onward::seek};
  }
  const char separator = is_hashed(topic) ? '/' : '\0';
  Parting parting{0, 0, 0, npos};
  for (; parting.level < levels_.size(); ++parting.level) {
    const std::string_view wanted = levels_[parting.level];
    if (wanted == "#") return {true, Onward::next};
    if (parting.level_start > topic.size()) {
      parting.at = topic.size();
      return onward_to_level(topic, parting);
    }
    const std::size_t end = std::min(topic.find(separator, parting.level_start), topic.size());
    if (wanted == "+") {
      parting.plus_end = end;
    } else {
      const auto level = topic.substr(parting.level_start, end - parting.level_start);
      if (level != wanted) {
        parting.at = parting.level_start + common_size(level, wanted);
        return level < wanted ? onward_to_level(topic, parting) : onward_behind(topic, parting);
      }
    }
    parting.level_start = end + 1;
  }
  parting.at = parting.level_start - 1;
  Look found = onward_behind(topic, parting);
  found.matches = parting.level_start > topic.size();
  return found;
}

/// The topic stands before what the filter wants below the same parent.
FilterSeek::Look FilterSeek::onward_to_level(std::string_view topic, const Parting& parting) {
  if (decides_for_one(topic, parting.at)) return {false, Onward::next};
  set_prefix(topic, std::min(parting.level_start, topic.size()));
  // The topic itself is the parent: its separator is not in it.
  if (parting.level_start > topic.size()) target_.push_back('\0');
  append_literals(parting.level);
  return {false, Onward::seek};
}

/// Nothing more can match below the last level that `+` took, or at all.
FilterSeek::Look FilterSeek::onward_behind(std::string_view topic, const Parting& parting) {
  if (decides_for_one(topic, parting.at)) return {false, Onward::next};
  if (parting.plus_end == npos) return {false, Onward::done};
  set_prefix(topic, parting.plus_end);
  if (target_.size() < kNameMax) target_.push_back('\1');
  return {false, Onward::seek};
}

void FilterSeek::set_prefix(std::string_view topic, std::size_t size) {
  target_.assign(topic.substr(0, std::min(size, kNameMax)));
  if (is_hashed(topic)) std::replace(target_.begin(), target_.end(), '/', '\0');
}

/// The levels from `level` on, up to a wildcard: every match has them.
void FilterSeek::append_literals(std::size_t level) {
  for (std::size_t i = level; i < levels_.size() && !is_wildcard(levels_[i]); ++i) {
    if (i > level) target_.push_back('\0');
    target_.append(levels_[i]);
    if (target_.size() >= kNameMax) break;
  }
  if (target_.size() > kNameMax) target_.resize(kNameMax);
}

}  // namespace linnet::store
