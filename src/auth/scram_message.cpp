#include "auth/scram_message.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "auth/password_base64.hpp"
#include "base/cat.hpp"
#include "base/utf8.hpp"

namespace linnet::auth {

namespace {

constexpr ScramFault kTooLong{ScramError::other_error, "a SCRAM message is longer than 4096 bytes"};
constexpr ScramFault kNotUtf8{ScramError::invalid_encoding, "a SCRAM message is not UTF-8"};
constexpr ScramFault kMandatory{ScramError::extensions_not_supported,
                                "the client insists on an extension (m=) and there is none"};
constexpr ScramFault kExtension{ScramError::invalid_encoding,
                                "a SCRAM extension is not a letter of its own, '=' and a value"};

/// The attributes of a message, one after the other.
class Attributes {
 public:
  explicit Attributes(std::string_view text) noexcept : text_(text) {}

  /// Up to the next comma; nothing at the end. Behind a comma at the end is an empty attribute.
  std::optional<std::string_view> next() noexcept {
    if (at_ > text_.size()) return std::nullopt;
    const auto end = std::min(text_.find(',', at_), text_.size());
    const auto attribute = text_.substr(at_, end - at_);
    at_ = end + 1;
    return attribute;
  }
  /// The value of the next attribute, if it has this letter.
  std::optional<std::string_view> next(char letter) noexcept {
    const auto attribute = next();
    if (!attribute || attribute->size() < 2) return std::nullopt;
    if ((*attribute)[0] != letter || (*attribute)[1] != '=') return std::nullopt;
    return attribute->substr(2);
  }
  [[nodiscard]] bool next_is(std::string_view start) const noexcept {
    return at_ <= text_.size() && text_.substr(at_).starts_with(start);
  }
  /// What next() has gone over, with the last comma.
  [[nodiscard]] std::string_view taken() const noexcept {
    return text_.substr(0, std::min(at_, text_.size()));
  }
  [[nodiscard]] std::string_view rest() const noexcept {
    return text_.substr(std::min(at_, text_.size()));
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

bool is_letter(char character) noexcept {
  return (character >= 'A' && character <= 'Z') || (character >= 'a' && character <= 'z');
}

/// What is wrong with the attributes that are left; they are extensions and mean nothing here. A
/// letter that RFC 5802 gives a meaning and a place does not belong here.
std::optional<ScramFault> check_extensions(Attributes& attributes) noexcept {
  while (const auto extension = attributes.next()) {
    if (extension->starts_with("m=")) return kMandatory;
    if (extension->size() < 3 || !is_letter((*extension)[0]) || (*extension)[1] != '=') {
      return kExtension;
    }
    constexpr std::string_view kTaken = "anmrcsipve";
    if (kTaken.find((*extension)[0]) != kTaken.npos) return kExtension;
  }
  return std::nullopt;
}

/// Reads the nonce, which extensions alone may follow.
std::optional<ScramFault> read_nonce(Attributes& attributes, std::string_view& nonce) noexcept {
  const auto found = attributes.next('r');
  if (!found || !is_scram_nonce(*found)) {
    return ScramFault{ScramError::invalid_encoding,
                      "there is no nonce (r=) of printable characters in its place"};
  }
  nonce = *found;
  return check_extensions(attributes);
}

/// A saslname: =2C stands for a comma and =3D for an equals sign, and nothing else is escaped.
/// Control characters are what SASLprep forbids of ASCII; the rest of ASCII it leaves as it is.
std::optional<std::string> parse_name(std::string_view text) {
  std::string name;
  name.reserve(text.size());
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.front());
    if (byte < 0x20 || byte == 0x7f) return std::nullopt;
    if (text.starts_with("=2C")) {
      name += ',';
      text.remove_prefix(3);
    } else if (text.starts_with("=3D")) {
      name += '=';
      text.remove_prefix(3);
    } else if (byte == '=') {
      return std::nullopt;
    } else {
      name += text.front();
      text.remove_prefix(1);
    }
  }
  if (!is_mqtt_utf8(name)) return std::nullopt;
  return name;
}

/// What is wrong with the channel binding flag that begins a GS2 header.
std::optional<ScramFault> check_binding_flag(std::string_view flag) noexcept {
  // "y": the client could bind channels, and takes it from the method's name that we cannot.
  if (flag == "n" || flag == "y") return std::nullopt;
  if (flag.starts_with("p=")) {
    return ScramFault{ScramError::channel_binding_not_supported,
                      "the client insists on channel binding (p=); SCRAM-SHA-256 has none here"};
  }
  return ScramFault{ScramError::invalid_encoding,
                    "the client's first SCRAM message does not begin with n, y or p="};
}

}  // namespace

std::string_view name_of(ScramError error) noexcept {
  switch (error) {
    case ScramError::invalid_encoding: return "invalid-encoding";
    case ScramError::extensions_not_supported: return "extensions-not-supported";
    case ScramError::invalid_proof: return "invalid-proof";
    case ScramError::channel_bindings_dont_match: return "channel-bindings-dont-match";
    case ScramError::channel_binding_not_supported: return "channel-binding-not-supported";
    case ScramError::invalid_username_encoding: return "invalid-username-encoding";
    case ScramError::no_resources: return "no-resources";
    case ScramError::other_error: break;
  }
  return "other-error";
}

ScramParsed<ClientFirst> parse_client_first(std::string_view message) {
  if (message.size() > kScramMessageMax) return kTooLong;
  ClientFirst parsed;
  Attributes header(message);
  if (const auto fault = check_binding_flag(header.next().value_or(""))) return *fault;
  const auto authzid = header.next();
  if (!authzid || !(authzid->empty() || authzid->starts_with("a="))) {
    return ScramFault{ScramError::invalid_encoding,
                      "the GS2 header does not end with a comma, or a= and a comma"};
  }
  auto other_name = parse_name(authzid->substr(std::min<std::size_t>(2, authzid->size())));
  if (!other_name) {
    return ScramFault{ScramError::invalid_username_encoding,
                      "the user to act as (a=) is not UTF-8 without control characters, with =2C "
                      "and =3D for ',' and '='"};
  }
  parsed.authzid = std::move(*other_name);
  parsed.gs2_header = header.taken();
  parsed.bare = header.rest();

  Attributes attributes(parsed.bare);
  if (attributes.next_is("m=")) return kMandatory;
  const auto name = attributes.next('n');
  if (!name) {
    return ScramFault{ScramError::invalid_encoding, "there is no user name (n=) in its place"};
  }
  auto user_name = parse_name(*name);
  if (!user_name || user_name->empty()) {
    return ScramFault{ScramError::invalid_username_encoding,
                      "the user name is empty, or not UTF-8 without control characters, with =2C "
                      "and =3D for ',' and '='"};
  }
  parsed.user_name = std::move(*user_name);
  if (const auto fault = read_nonce(attributes, parsed.nonce)) return *fault;
  if (!is_mqtt_utf8(message)) return kNotUtf8;
  return parsed;
}

ScramParsed<ClientFinal> parse_client_final(std::string_view message) {
  if (message.size() > kScramMessageMax) return kTooLong;
  if (!is_mqtt_utf8(message)) return kNotUtf8;
  if (message.starts_with("m=")) return kMandatory;
  ClientFinal parsed;
  const auto comma = message.rfind(',');
  parsed.without_proof = message.substr(0, std::min(comma, message.size()));

  Attributes attributes(parsed.without_proof);
  const auto binding = attributes.next('c');
  auto decoded = binding ? base64_decoded(*binding, Padding::full) : std::nullopt;
  if (!decoded) {
    return ScramFault{ScramError::invalid_encoding,
                      "there is no channel binding (c=) in base64 in its place"};
  }
  parsed.channel_binding = std::move(*decoded);
  if (const auto fault = read_nonce(attributes, parsed.nonce)) return *fault;

  // Both attributes above were found, so there is a comma behind at least one of them.
  Attributes last(message.substr(comma + 1));
  const auto proof = last.next('p');
  auto bytes = proof ? base64_decoded(*proof, Padding::full) : std::nullopt;
  if (!bytes) {
    return ScramFault{ScramError::invalid_encoding,
                      "the client's last SCRAM message does not end with a proof (p=) in base64"};
  }
  if (bytes->size() != kScramKeySize) {
    return ScramFault{ScramError::invalid_proof,
                      "the proof is not of 32 bytes; the method is SCRAM-SHA-256"};
  }
  parsed.proof = std::move(*bytes);
  return parsed;
}

std::string make_server_first(std::string_view nonce, const ScramKeys& keys) {
  return cat("r=", nonce, ",s=", base64_encoded(keys.salt, Padding::full), ",i=", keys.iterations);
}

std::string make_server_final(std::string_view signature) {
  return cat("v=", base64_encoded(signature, Padding::full));
}

std::string make_server_error(ScramError error) {
  return cat("e=", name_of(error));
}

bool is_scram_nonce(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char character) {
    return character >= 0x21 && character <= 0x7e && character != ',';
  });
}

}  // namespace linnet::auth
