// From a member of Config or one of its parts to the KeyField that reads and writes it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

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
  } else if constexpr (std::is_same_v<Part, UnixUserConfig>) {
    return config.auth.unix_users.back();
  } else if constexpr (std::is_same_v<Part, UserConfig>) {
    return config.auth.users.back();
  } else if constexpr (std::is_same_v<Part, GroupConfig>) {
    return config.auth.groups.back();
  } else if constexpr (std::is_same_v<Part, RuleConfig>) {
    return config.auth.rules.back();
  } else {
    static_assert(std::is_same_v<Part, ShareGroupConfig>);
    return config.share_groups.back();
  }
}

/// The member that a path of them leads to: `&Config::tls, &TlsConfig::cert`.
template <auto first, auto... rest>
[[nodiscard]] auto& member_of(auto& config) noexcept {
  auto& outer = part_of<typename MemberTraits<decltype(first)>::owner>(config).*first;
  return (outer.*....*rest);
}

template <auto... path>
using MemberType = std::remove_cvref_t<decltype(member_of<path...>(std::declval<Config&>()))>;

template <auto... path>
[[nodiscard]] std::uint64_t read_number(const Config& config) noexcept {
  const auto& value = member_of<path...>(config);
  if constexpr (std::is_same_v<MemberType<path...>, std::chrono::milliseconds>) {
    return static_cast<std::uint64_t>(value.count());
  } else {
    return static_cast<std::uint64_t>(value);
  }
}

template <auto... path>
void write_number(Config& config, std::uint64_t number) noexcept {
  using Type = MemberType<path...>;
  auto& value = member_of<path...>(config);
  if constexpr (std::is_same_v<Type, std::chrono::milliseconds>) {
    value = std::chrono::milliseconds(static_cast<std::int64_t>(number));
  } else {
    value = static_cast<Type>(number);
  }
}

template <auto... path>
[[nodiscard]] const MemberType<path...>& read_member(const Config& config) noexcept {
  return member_of<path...>(config);
}

/// By value, since all writers of the table have one signature.
template <auto... path>
// NOLINTNEXTLINE(performance-unnecessary-value-param)
void write_member(Config& config, MemberType<path...> value) {
  member_of<path...>(config) = std::move(value);
}

template <auto... path>
[[nodiscard]] constexpr KeyField field() noexcept {
  using Type = MemberType<path...>;
  if constexpr (std::is_same_v<Type, std::string>) {
    return {.text = &read_member<path...>, .set_text = &write_member<path...>};
  } else if constexpr (std::is_same_v<Type, std::vector<std::string>>) {
    return {.texts = &read_member<path...>, .set_texts = &write_member<path...>};
  } else {
    return {.number = &read_number<path...>, .set_number = &write_number<path...>};
  }
}

}  // namespace linnet::config
