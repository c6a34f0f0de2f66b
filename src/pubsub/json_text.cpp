#include "pubsub/json_text.hpp"

#include <boost/json.hpp>

#include "base/utf8.hpp"

namespace linnet::pubsub {

namespace {

constexpr std::size_t kInlineMax = 60;

bool is_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Takes one token off the head of JSON text: a string with its quotes, a number, a word or a sign.
std::string_view take_token(std::string_view& text) noexcept {
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  if (text.empty()) return {};
  constexpr std::string_view kSigns = "{}[],:";
  std::size_t size = 1;
  if (text.front() == '"') {
    while (size < text.size() && text[size] != '"')
      size += text[size] == '\\' ? 2U : 1U;
    ++size;
  } else if (kSigns.find(text.front()) == std::string_view::npos) {
    while (size < text.size() && !is_space(text[size]) &&
           kSigns.find(text[size]) == std::string_view::npos)
      ++size;
  }
  const std::string_view token = text.substr(0, size);
  text.remove_prefix(token.size());
  return token;
}

class PrettyPrinter {
 public:
  PrettyPrinter(std::string& out, const Palette& palette) : out_(out), palette_(palette) {}

  void print(std::string_view text) {
    while (true) {
      const std::string_view token = take_token(text);
      if (token.empty()) return;
      switch (token.front()) {
        case '{':
        case '[': open(token, text); break;
        case '}':
        case ']': close(token); break;
        case ',': next(); break;
        case ':': out_ += ": "; break;
        default: value(token, text);
      }
    }
  }

 private:
  void open(std::string_view token, std::string_view& text) {
    out_ += token;
    std::string_view ahead = text;
    const std::string_view first = take_token(ahead);
    is_inline_ = is_small(text);
    if (first == "}" || first == "]") {
      out_ += first;
      text = ahead;
      is_inline_ = false;
      return;
    }
    ++depth_;
    if (!is_inline_) new_line();
  }
  void close(std::string_view token) {
    --depth_;
    if (!is_inline_) new_line();
    is_inline_ = false;
    out_ += token;
  }
  void next() {
    out_ += ',';
    if (is_inline_) {
      out_ += ' ';
    } else {
      new_line();
    }
  }
  void value(std::string_view token, std::string_view text) {
    const bool is_string = token.front() == '"';
    const bool is_key = is_string && take_token(text) == ":";
    const bool is_word = token == "true" || token == "false" || token == "null";
    const Paint paint = is_key      ? Paint::key
                        : is_string ? Paint::string
                        : is_word   ? Paint::word
                                    : Paint::number;
    palette_.put(out_, paint, shown(token));
  }
  void new_line() {
    out_ += '\n';
    out_.append(2 * depth_, ' ');
  }
  /// Whether what has just been opened ends soon, and holds nothing that is opened again.
  static bool is_small(std::string_view text) noexcept {
    std::size_t size = 0;
    while (size < kInlineMax) {
      const std::string_view token = take_token(text);
      if (token.empty() || token == "{" || token == "[") return false;
      if (token == "}" || token == "]") return true;
      size += token.size() + 1;
    }
    return false;
  }

  std::string& out_;
  const Palette& palette_;
  std::size_t depth_ = 0;
  bool is_inline_ = false;
};

}  // namespace

bool is_json(std::string_view text) {
  boost::json::error_code error;
  (void)boost::json::parse(text, error);
  return !error;
}

void append_pretty(std::string& out, std::string_view text, const Palette& palette) {
  PrettyPrinter(out, palette).print(text);
}

void append_minified(std::string& out, std::string_view text) {
  for (auto token = take_token(text); !token.empty(); token = take_token(text))
    out += token;
}

void append_json_string(std::string& out, std::string_view text) {
  if (is_utf8(text)) {
    out += boost::json::serialize(text);
    return;
  }
  std::string mended;
  while (!text.empty()) {
    std::size_t size = 4;
    while (size > 0 && (text.size() < size || !is_utf8(text.substr(0, size))))
      --size;
    mended += size == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  out += boost::json::serialize(mended);
}

}  // namespace linnet::pubsub
