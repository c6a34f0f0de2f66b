// From a member of Config or one of its parts to the KeyField that reads and writes it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "config/keys.hpp"

namespace linnet::config {

template <class Member>
struct MemberTraits;
template <class Owner, class Type>
struct MemberTraits<Type Owner::*> {
  using owner = Owner;
  using type = Type;
};

/// The part of a Config that holds a member: itself, its limits, the last element of a list.
template <class Part, class AnyConfig>
[[nodiscard]] auto& part_of(AnyConfig& config) noexcept {
  if constexpr (std::is_same_v<Part, Config>) {
    return config;
  } else if constexpr (std::is_same_v<Part, Limits>) {
    return config.limits;
  } else if constexpr (std::is_same_v<Part, ListenerConfig>) {
    return config.listeners.back();
  } else {
    static_assert(std::is_same_v<Part, ShareGroupConfig>);
    return config.share_groups.back();
  }
}

template <auto member>
[[nodiscard]] std::uint64_t read_number(const Config& config) noexcept {
  using Traits = MemberTraits<decltype(member)>;
  const auto& value = part_of<typename Traits::owner>(config).*member;
  if constexpr (std::is_same_v<typename Traits::type, std::chrono::milliseconds>) {
    return static_cast<std::uint64_t>(value.count());
  } else {
    return static_cast<std::uint64_t>(value);
  }
}

template <auto member>
void write_number(Config& config, std::uint64_t number) noexcept {
  using Traits = MemberTraits<decltype(member)>;
  using Type = typename Traits::type;
  auto& value = part_of<typename Traits::owner>(config).*member;
  if constexpr (std::is_same_v<Type, std::chrono::milliseconds>) {
    value = std::chrono::milliseconds(static_cast<std::int64_t>(number));
  } else {
    value = static_cast<Type>(number);
  }
}

template <auto member>
[[nodiscard]] const std::string& read_text(const Config& config) noexcept {
  return part_of<typename MemberTraits<decltype(member)>::owner>(config).*member;
}

/// By value, since all writers of the table have one signature.
template <auto member>
// NOLINTNEXTLINE(performance-unnecessary-value-param)
void write_text(Config& config, std::string text) {
  part_of<typename MemberTraits<decltype(member)>::owner>(config).*member = std::move(text);
}

template <auto member>
[[nodiscard]] constexpr KeyField field() noexcept {
  if constexpr (std::is_same_v<typename MemberTraits<decltype(member)>::type, std::string>) {
    return {.text = &read_text<member>, .set_text = &write_text<member>};
  } else {
    return {.number = &read_number<member>, .set_number = &write_number<member>};
  }
}

}  // namespace linnet::config
