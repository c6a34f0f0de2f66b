#include "auth/acl_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "base/cat.hpp"
#include "base/utf8.hpp"
#include "net/file_descriptor.hpp"

namespace linnet::auth {
namespace {

constexpr std::string_view kBlanks = " \t\r\v\f";
constexpr std::string_view kAccesses = "it is read, write, readwrite or deny";

std::string_view trimmed(std::string_view text) noexcept {
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// Takes the first word of a text, which begins with no space, and the spaces behind it.
std::string_view take_word(std::string_view& text) noexcept {
  const auto end = std::min(text.find(' '), text.size());
  const auto word = text.substr(0, end);
  text.remove_prefix(std::min(text.find_first_not_of(' ', end), text.size()));
  return word;
}

struct Access {
  RuleEffect effect = RuleEffect::allow;
  bool read = true;
  bool write = true;
};

std::optional<Access> access_of(std::string_view word) noexcept {
  if (word == "read") return Access{RuleEffect::allow, true, false};
  if (word == "write") return Access{RuleEffect::allow, false, true};
  if (word == "readwrite") return Access{};
  if (word == "deny") return Access{RuleEffect::deny, true, true};
  return std::nullopt;
}

/// What one user, or everybody by patterns, is denied and allowed.
struct Part {
  RuleList denials;
  RuleList allowances;
};

class AclParser {
 public:
  AclParser(const std::string& name, std::vector<std::string>& errors, const AclBounds& bounds)
      : name_(name), errors_(errors), bounds_(bounds) {
    parts_.emplace_back();
  }

  void parse(std::string_view text);
  [[nodiscard]] bool ok() const noexcept { return faults_ == 0; }
  void move_to(RuleList& rules);

 private:
  void parse_line(std::string_view line);
  void set_user(std::string_view user);
  void add_rule(std::string_view line, std::string_view rest, bool pattern);
  void fault(const std::string& text);

  const std::string& name_;
  std::vector<std::string>& errors_;
  const AclBounds& bounds_;
  std::size_t number_ = 0;
  std::size_t faults_ = 0;
  std::size_t rules_ = 0;
  std::vector<Part> parts_;                             // first that of anonymous clients
  std::unordered_map<std::string, std::size_t> users_;  // which part is whose
  std::string user_;                                    // empty: none yet
  std::size_t part_ = 0;
  Part patterns_;
};

void AclParser::fault(const std::string& text) {
  ++faults_;
  errors_.push_back(cat(name_, ":", number_, ": ", text));
}

void AclParser::parse(std::string_view text) {
  while (!text.empty()) {
    ++number_;
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.size() > bounds_.line_bytes) {
      fault(cat("is longer than ", bounds_.line_bytes, " bytes"));
    } else {
      parse_line(trimmed(line));
    }
    if (faults_ >= bounds_.errors || rules_ > bounds_.rules) return;
  }
}

void AclParser::parse_line(std::string_view line) {
  if (line.empty() || line.front() == '#') return;
  auto rest = line;
  const auto word = take_word(rest);
  if (word == "user") {
    set_user(trimmed(rest));
  } else if (word == "topic" || word == "pattern") {
    add_rule(line, rest, word == "pattern");
  } else {
    fault(cat("begins with \"", is_utf8(word) ? word.substr(0, 40) : "?",
              "\"; a line is `topic`, `user` or `pattern` with a space behind it, or a comment "
              "with # before it"));
  }
}

void AclParser::set_user(std::string_view user) {
  if (user.empty()) return fault("has no user name; write user NAME");
  if (!is_mqtt_utf8(user)) return fault("the user name is not UTF-8, or has a NUL in it");
  user_ = user;
  const auto [found, is_new] = users_.try_emplace(user_, parts_.size());
  if (is_new) parts_.emplace_back();
  part_ = found->second;
}

void AclParser::add_rule(std::string_view line, std::string_view rest, bool pattern) {
  if (++rules_ > bounds_.rules) {
    return fault(cat("there are more than ", bounds_.rules,
                     " rules; groups and patterns say more "
                     "with fewer"));
  }
  const bool has_access = rest.find(' ') != rest.npos;  // without one, a topic may be called "read"
  Access access;
  if (has_access) {
    const auto word = take_word(rest);
    const auto found = access_of(word);
    if (!found) {
      return fault(cat("\"", is_utf8(word) ? word.substr(0, 40) : "?", "\" is no access; ",
                       kAccesses, ", and has to be said before a topic with spaces"));
    }
    access = *found;
  }
  Rule rule;
  RuleFilter filter;
  std::string error;
  if (!(pattern ? parse_rule_filter(rest, true, filter, error)
                : parse_plain_filter(rest, filter, error))) {
    return fault(cat("the topic ", error));
  }
  rule.effect = access.effect;
  rule.subjects.plain_names_only = pattern;
  if (!pattern && user_.empty()) rule.subjects.anonymous = true;
  if (!pattern && !user_.empty()) rule.subjects.users.push_back(user_);
  if (access.read) rule.subscribe.push_back(filter);
  if (access.write) rule.publish.push_back(std::move(filter));
  rule.text = line;
  rule.place = cat(name_, ":", number_);
  Part& part = pattern ? patterns_ : parts_[part_];
  (rule.effect == RuleEffect::deny ? part.denials : part.allowances).push_back(std::move(rule));
}

void AclParser::move_to(RuleList& rules) {
  const auto move_all = [&](RuleList& from) {
    std::move(from.begin(), from.end(), std::back_inserter(rules));
    RuleList().swap(from);
  };
  rules.reserve(rules.size() + rules_);
  for (Part& part : parts_) {
    move_all(part.denials);
    move_all(part.allowances);
  }
  move_all(patterns_.denials);
  move_all(patterns_.allowances);
}

bool read_file(const std::string& path, std::string& text, std::string& error) {
  const auto errno_text = [] { return std::system_category().message(errno); };
  // Not blocking, since opening a FIFO would wait for its writer.
  const net::FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts {};
  if (!fd || ::fstat(fd.get(), &facts) != 0) {
    error = cat(path, ": cannot be read: ", errno_text());
    return false;
  }
  if (!S_ISREG(facts.st_mode)) {
    error = cat(path, ": is not a plain file");
    return false;
  }
  std::vector<char> piece(64 << 10);
  ssize_t got = 0;
  while ((got = ::read(fd.get(), piece.data(), piece.size())) > 0) {
    text.append(piece.data(), static_cast<std::size_t>(got));
    if (text.size() > AclBounds{}.file_bytes) {
      error = cat(path, ": is larger than ", AclBounds{}.file_bytes >> 20, " MiB");
      return false;
    }
  }
  if (got < 0) error = cat(path, ": cannot be read: ", errno_text());
  return got == 0;
}

}  // namespace

bool load_acl_file(const std::string& path, RuleList& rules, std::vector<std::string>& errors) {
  std::string text;
  std::string error;
  if (!read_file(path, text, error)) {
    errors.push_back(std::move(error));
    return false;
  }
  return parse_acl_file(text, path, rules, errors);
}

bool parse_acl_file(std::string_view text, const std::string& name, RuleList& rules,
                    std::vector<std::string>& errors, const AclBounds& bounds) {
  AclParser parser(name, errors, bounds);
  parser.parse(text);
  if (parser.ok()) parser.move_to(rules);
  return parser.ok();
}

}  // namespace linnet::auth
