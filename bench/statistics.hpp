// Medians and percentiles.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace linnet::bench {

/// Of none it is 0.
inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// The median of one field.
template <class Item>
double median(const std::vector<Item>& items, double Item::*field) {
  std::vector<double> values;
  values.reserve(items.size());
  for (const auto& item : items)
    values.push_back(item.*field);
  return median(std::move(values));
}

/// The smallest value that `percent` per cent of them do not exceed; of none it is 0.
inline double percentile(std::vector<double> values, std::size_t percent) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::max<std::size_t>(1, (values.size() * percent + 99) / 100) - 1];
}

}  // namespace linnet::bench
