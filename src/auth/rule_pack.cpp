#include "auth/rule_pack.hpp"

#include <cstring>
#include <string_view>

namespace linnet::auth {
namespace {

constexpr std::size_t kHeadBytes = 3;

std::uint16_t length_at(const char* at) noexcept {
  std::uint16_t length = 0;
  std::memcpy(&length, at, sizeof length);
  return length;
}

}  // namespace

std::uint64_t RulePack::append(const std::vector<RuleFilter>& filters) {
  const std::uint64_t begin = bytes_.size();
  for (const RuleFilter& filter : filters) {
    const auto length = static_cast<std::uint16_t>(filter.code.size());  // a topic's, so it fits
    char head[kHeadBytes];
    std::memcpy(head, &length, sizeof length);
    head[2] = static_cast<char>(filter.values);
    bytes_.append(head, sizeof head);
    bytes_.append(filter.code);
  }
  bytes_.append(sizeof(std::uint16_t), '\0');
  return begin;
}

RulePack::RulePack(RuleList& rules) {
  rows_.reserve(rules.size());
  for (Rule& rule : rules) {
    Row row{0, 0, terms_of(rule), !rule.subjects.clients.empty()};
    row.publish = append(rule.publish);
    row.subscribe = rule.subscribe == rule.publish ? row.publish : append(rule.subscribe);
    rows_.push_back(row);
    std::vector<RuleFilter>().swap(rule.publish);
    std::vector<RuleFilter>().swap(rule.subscribe);
  }
  bytes_.shrink_to_fit();
}

RuleLook RulePack::look_at(const Rule& rule, std::uint32_t place, const RuleValues& values,
                           const Request& request) const {
  const Row& row = rows_[place];
  if (row.has_clients && !names_client(rule.subjects, values.subject())) return RuleLook::client;
  FilterLook look(row.terms.effect, values, request);
  const bool publishes = request.action == Action::publish;
  const char* at = bytes_.data() + (publishes ? row.publish : row.subscribe);
  for (std::uint16_t length = length_at(at); length != 0; length = length_at(at)) {
    const std::string_view code(at + kHeadBytes, length);
    if (!look.go_on(code, static_cast<std::uint8_t>(at[2]))) break;
    at += kHeadBytes + length;
  }
  return look_at_terms(look.found(), row.terms, values, request);
}

}  // namespace linnet::auth
