#include "faults/replay.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <string_view>

namespace linnet::faults {

namespace {

constexpr std::uint64_t kSectorBytes = 512;

/// One write's part of one sector.
struct Fragment {
  std::uint64_t offset = 0;
  std::string_view bytes;
};

double share_of(Survival survival) {
  switch (survival) {
    case Survival::nothing: return 0.0;
    case Survival::few: return 0.1;
    case Survival::half: return 0.5;
    case Survival::most: return 0.9;
    case Survival::everything:
    case Survival::beginning: break;
  }
  return 1.0;
}

}  // namespace

std::vector<TraceStep> read_trace(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<TraceStep> steps;
  TraceStep step;
  while (file.read(reinterpret_cast<char*>(&step.entry), sizeof step.entry)) {
    step.bytes.clear();
    if (step.entry.kind == TraceKind::written) {
      step.bytes.resize(step.entry.size);
      if (!file.read(step.bytes.data(), static_cast<std::streamsize>(step.entry.size))) break;
    }
    steps.push_back(step);
  }
  return steps;
}

void Replay::put(std::string& file, std::uint64_t offset, std::string_view bytes) {
  if (file.size() < offset + bytes.size()) file.resize(offset + bytes.size());
  std::copy(bytes.begin(), bytes.end(),
            std::next(file.begin(), static_cast<std::ptrdiff_t>(offset)));
}

void Replay::apply(std::string& file, const Pending& pending) {
  if (pending.sizes) {
    file.resize(pending.offset);
  } else {
    put(file, pending.offset, *pending.bytes);
  }
}

void Replay::play(const TraceStep& step) {
  switch (step.entry.kind) {
    case TraceKind::opened:
    case TraceKind::mark: return;
    case TraceKind::written: pending_.push_back({false, step.entry.offset, &step.bytes}); return;
    case TraceKind::sized: pending_.push_back({true, step.entry.offset, nullptr}); return;
    case TraceKind::synced:
      for (const Pending& pending : pending_)
        apply(durable_, pending);
      pending_.clear();
      return;
    case TraceKind::sync_failed: fail_sync(step.entry.time_ns); return;
    case TraceKind::given_up: pending_.clear(); return;
    case TraceKind::synced_part: sync_part(step.entry.offset, step.entry.size); return;
  }
}

/// Such a sync follows its own write, and concerns nothing else.
void Replay::sync_part(std::uint64_t offset, std::uint64_t size) {
  const auto own = std::find_if(pending_.rbegin(), pending_.rend(), [&](const Pending& pending) {
    return !pending.sizes && pending.offset == offset && pending.bytes->size() == size;
  });
  if (own == pending_.rend()) return;
  apply(durable_, *own);
  pending_.erase(std::prev(own.base()));
}

void Replay::fail_sync(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  durable_ = image(static_cast<Survival>(random() % kSurvivals), random);
  pending_.clear();
}

std::string Replay::image(Survival survival, std::mt19937_64& random) const {
  std::string file = durable_;
  std::bernoulli_distribution survives(share_of(survival));
  std::size_t count = pending_.size();
  if (survival == Survival::beginning) count = random() % (count + 1);
  std::map<std::uint64_t, std::vector<Fragment>> sectors;
  for (std::size_t i = 0; i < count; ++i) {
    const Pending& pending = pending_[i];
    if (pending.sizes) {
      if (survives(random)) file.resize(std::max<std::size_t>(file.size(), pending.offset));
      continue;
    }
    const std::string_view bytes = *pending.bytes;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::uint64_t offset = pending.offset + at;
      const std::size_t size =
          std::min<std::size_t>(bytes.size() - at, kSectorBytes - offset % kSectorBytes);
      sectors[offset / kSectorBytes].push_back({offset, bytes.substr(at, size)});
      at += size;
    }
  }
  // A sector holds what it held before, or after any of the writes to it.
  for (const auto& [sector, fragments] : sectors) {
    std::size_t versions = 0;
    if (survives(random)) {
      versions = share_of(survival) < 1.0 ? 1 + random() % fragments.size() : fragments.size();
    }
    for (std::size_t i = 0; i < versions; ++i)
      put(file, fragments[i].offset, fragments[i].bytes);
  }
  return file;
}

}  // namespace linnet::faults
