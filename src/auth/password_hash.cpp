#include "auth/password_hash.hpp"

#include <array>
#include <charconv>
#include <stdexcept>

#include "auth/password_base64.hpp"
#include "auth/password_derive.hpp"
#include "auth/secret.hpp"
#include "base/cat.hpp"
#include "base/log.hpp"

namespace linnet::auth {
namespace {

constexpr std::string_view kPbkdf2Prefix = "$7$";
constexpr std::string_view kSha512Prefix = "$6$";
constexpr std::string_view kArgon2Prefix = "$argon2id$";
constexpr std::string_view kScramPrefix = "SCRAM-SHA-256$";
constexpr std::string_view kKnown =
    "known are $7$ (PBKDF2) and $6$ (SHA-512) of Mosquitto, $argon2id$ and SCRAM-SHA-256$; "
    "`linnet passwd` writes them";

constexpr std::size_t kSaltBytesMax = 128;
constexpr std::size_t kEntryBytesMax = 1024;
// A few seconds.
constexpr std::uint32_t kIterationsMax = 10'000'000;
// What RFC 7677, section 4, asks for at least; clients may refuse fewer.
constexpr std::uint32_t kScramIterationsMin = 4096;
// 256 MiB at once, and 4 GiB written in all passes.
constexpr std::uint32_t kArgon2MemoryKibMax = 256 << 10;
constexpr std::uint64_t kArgon2WorkKibMax = 4 << 20;
constexpr std::uint32_t kArgon2LanesMax = 16;
// RFC 9106, section 3.1.
constexpr std::size_t kArgon2SaltBytesMin = 8;
constexpr std::size_t kArgon2HashBytesMin = 16;
constexpr std::size_t kArgon2HashBytesMax = 64;
constexpr std::uint32_t kArgon2MemoryKib = 19'456;  // for new ones
// PBKDF2's work below this is less than a millisecond.
constexpr std::uint32_t kWeakBelowIterations = 1000;
constexpr std::uint32_t kWeakBelowWorkKib = 4096;
// Mosquitto 2.0 removes every $7$ entry with a salt of another length.
constexpr std::size_t kNewPbkdf2SaltBytes = 12;

/// Takes what stands before `end`, and `end`, from the front of a text; all of it if there is none.
std::string_view take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return taken;
}

/// A decimal number without a sign or zeros before it.
std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return value;
}

/// "m=19456" for 'm'.
std::optional<std::uint32_t> parameter(std::string_view text, char name) {
  if (text.size() < 3 || text[0] != name || text[1] != '=') return std::nullopt;
  return number(text.substr(2));
}

std::optional<std::uint32_t> iterations(std::string_view text, std::uint32_t least,
                                        std::string& error) {
  const auto value = number(text);
  if (value && *value >= least && *value <= kIterationsMax) return value;
  error = cat("the hash has no number of iterations between ", least, " and ", kIterationsMax);
  return std::nullopt;
}

std::optional<std::string> salt(std::string_view text, std::string& error) {
  auto bytes = base64_decoded(text, Padding::full);
  if (bytes && !bytes->empty() && bytes->size() <= kSaltBytesMax) return bytes;
  error = cat("the hash has no salt of 1 to ", kSaltBytesMax, " bytes in base64");
  return std::nullopt;
}

/// The bytes at the end of an entry, of which there have to be so many.
std::optional<std::string> digest(std::string_view text, std::size_t size, std::string& error) {
  auto bytes = base64_decoded(text, Padding::full);
  if (bytes && bytes->size() == size) return bytes;
  error = cat("the hash does not end with ", size, " bytes in base64; has the line been cut?");
  return std::nullopt;
}

std::optional<PasswordHash> parse_pbkdf2(std::string_view text, std::string& error) {
  const auto count = iterations(take_until(text, '$'), 1, error);
  if (!count) return std::nullopt;
  auto salt_bytes = salt(take_until(text, '$'), error);
  if (!salt_bytes) return std::nullopt;
  auto hash = digest(text, kSha512Bytes, error);
  if (!hash) return std::nullopt;
  return Pbkdf2Hash{*count, std::move(*salt_bytes), std::move(*hash)};
}

std::optional<PasswordHash> parse_sha512(std::string_view text, std::string& error) {
  auto salt_bytes = salt(take_until(text, '$'), error);
  if (!salt_bytes) return std::nullopt;
  auto hash = digest(text, kSha512Bytes, error);
  if (!hash) return std::nullopt;
  return Sha512Hash{std::move(*salt_bytes), std::move(*hash)};
}

/// "19456", "2", "1" of "m=19456,t=2,p=1", in their bounds.
bool parse_argon2_costs(std::string_view text, Argon2Hash& hash, std::string& error) {
  const auto memory = parameter(take_until(text, ','), 'm');
  const auto passes = parameter(take_until(text, ','), 't');
  const auto lanes = parameter(text, 'p');
  if (!memory || !passes || !lanes) {
    error = "the hash of Argon2id has no parameters m=…,t=…,p=…";
    return false;
  }
  if (*lanes < 1 || *lanes > kArgon2LanesMax || *memory < 8 * *lanes ||
      *memory > kArgon2MemoryKibMax) {
    error =
        cat("the hash of Argon2id has m=", *memory, " (KiB) and p=", *lanes, "; allowed are 1 to ",
            kArgon2LanesMax, " lanes and 8 KiB for each to ", kArgon2MemoryKibMax >> 10, " MiB");
    return false;
  }
  if (*passes < 1 || std::uint64_t{*memory} * *passes > kArgon2WorkKibMax) {
    error = cat("the hash of Argon2id has t=", *passes,
                "; allowed are 1 or more, while m times t is at most ", kArgon2WorkKibMax);
    return false;
  }
  hash.memory_kib = *memory;
  hash.passes = *passes;
  hash.lanes = *lanes;
  return true;
}

std::optional<PasswordHash> parse_argon2(std::string_view text, std::string& error) {
  Argon2Hash hash;
  if (take_until(text, '$') != "v=19") {
    error = "the hash of Argon2id is not of version 19";
    return std::nullopt;
  }
  if (!parse_argon2_costs(take_until(text, '$'), hash, error)) return std::nullopt;
  auto salt_bytes = base64_decoded(take_until(text, '$'), Padding::none);
  if (!salt_bytes || salt_bytes->size() < kArgon2SaltBytesMin ||
      salt_bytes->size() > kSaltBytesMax) {
    error = cat("the hash of Argon2id has no salt of ", kArgon2SaltBytesMin, " to ", kSaltBytesMax,
                " bytes in base64 without padding");
    return std::nullopt;
  }
  auto bytes = base64_decoded(text, Padding::none);
  if (!bytes || bytes->size() < kArgon2HashBytesMin || bytes->size() > kArgon2HashBytesMax) {
    error = cat("the hash of Argon2id does not end with ", kArgon2HashBytesMin, " to ",
                kArgon2HashBytesMax, " bytes in base64 without padding; has the line been cut?");
    return std::nullopt;
  }
  hash.salt = std::move(*salt_bytes);
  hash.hash = std::move(*bytes);
  return hash;
}

std::optional<PasswordHash> parse_scram(std::string_view text, std::string& error) {
  const auto count = iterations(take_until(text, ':'), kScramIterationsMin, error);
  if (!count) return std::nullopt;
  auto salt_bytes = salt(take_until(text, '$'), error);
  if (!salt_bytes) return std::nullopt;
  auto stored = digest(take_until(text, ':'), kSha256Bytes, error);
  if (!stored) return std::nullopt;
  auto server = digest(text, kSha256Bytes, error);
  if (!server) return std::nullopt;
  return ScramKeys{*count, std::move(*salt_bytes), std::move(*stored), std::move(*server)};
}

struct Form {
  std::string_view prefix;
  std::optional<PasswordHash> (*parse)(std::string_view text, std::string& error);
};
constexpr std::array<Form, 4> kForms{{{kPbkdf2Prefix, &parse_pbkdf2},
                                      {kSha512Prefix, &parse_sha512},
                                      {kArgon2Prefix, &parse_argon2},
                                      {kScramPrefix, &parse_scram}}};

struct Verifier {
  std::string_view password;

  bool operator()(const Pbkdf2Hash& hash) const {
    return equal_in_constant_time(pbkdf2_sha512(password, hash.salt, hash.iterations).view(),
                                  hash.hash);
  }
  bool operator()(const Sha512Hash& hash) const {
    return equal_in_constant_time(salted_sha512(password, hash.salt).view(), hash.hash);
  }
  bool operator()(const Argon2Hash& hash) const {
    return equal_in_constant_time(argon2id(password, hash).view(), hash.hash);
  }
  bool operator()(const ScramKeys& keys) const {
    const ScramKeys presented = scram_keys(password, keys.salt, keys.iterations);
    // Both, so that an entry whose halves belong to two passwords lets nobody in.
    const bool stored = equal_in_constant_time(presented.stored_key, keys.stored_key);
    const bool server = equal_in_constant_time(presented.server_key, keys.server_key);
    return stored && server;
  }
};

std::string new_argon2(std::string_view password, std::uint32_t passes) {
  Argon2Hash hash{kArgon2MemoryKib, passes, 1, random_salt(kNewSaltBytes), std::string(32, '\0')};
  const Secret derived = argon2id(password, hash);
  return cat(kArgon2Prefix, "v=19$m=", hash.memory_kib, ",t=", hash.passes, ",p=", hash.lanes, '$',
             base64_encoded(hash.salt, Padding::none), '$',
             base64_encoded(derived.view(), Padding::none));
}

std::string new_scram(std::string_view password, std::uint32_t count) {
  const ScramKeys keys = scram_keys(password, random_salt(kNewSaltBytes), count);
  return cat(kScramPrefix, keys.iterations, ':', base64_encoded(keys.salt, Padding::full), '$',
             base64_encoded(keys.stored_key, Padding::full), ':',
             base64_encoded(keys.server_key, Padding::full));
}

std::string new_pbkdf2(std::string_view password, std::uint32_t count) {
  const std::string salt_bytes = random_salt(kNewPbkdf2SaltBytes);
  const Secret derived = pbkdf2_sha512(password, salt_bytes, count);
  return cat(kPbkdf2Prefix, count, '$', base64_encoded(salt_bytes, Padding::full), '$',
             base64_encoded(derived.view(), Padding::full));
}

}  // namespace

std::optional<PasswordHash> parse_password_hash(std::string_view text, std::string& error) {
  if (text.size() > kEntryBytesMax) {
    error = cat("the hash is longer than ", kEntryBytesMax, " bytes");
    return std::nullopt;
  }
  for (const Form& form : kForms) {
    if (text.starts_with(form.prefix)) return form.parse(text.substr(form.prefix.size()), error);
  }
  error = looks_hashed(text) ? cat("the password is hashed in an unknown way; ", kKnown)
                             : cat("the password is not hashed; ", kKnown);
  return std::nullopt;
}

bool looks_hashed(std::string_view text) noexcept {
  if (text.starts_with("SCRAM-SHA-")) return true;
  // "$2b$12$…": a short name between two dollars.
  constexpr std::size_t kNameBytesMax = 12;
  const std::size_t second = text.find('$', 1);
  return text.starts_with('$') && second > 1 && second <= kNameBytesMax;
}

bool verify(const PasswordHash& hash, std::string_view password) {
  try {
    return std::visit(Verifier{password}, hash);
  } catch (const std::exception& failed) {
    log::error("auth", cat("a password could not be checked: ", failed.what()));
    return false;
  }
}

bool is_weak(const PasswordHash& hash) noexcept {
  if (const auto* pbkdf2 = std::get_if<Pbkdf2Hash>(&hash)) {
    return pbkdf2->iterations < kWeakBelowIterations;
  }
  if (const auto* argon2 = std::get_if<Argon2Hash>(&hash)) {
    return std::uint64_t{argon2->memory_kib} * argon2->passes < kWeakBelowWorkKib;
  }
  return std::holds_alternative<Sha512Hash>(hash);
}

IterationRange iteration_range(HashKind kind) noexcept {
  switch (kind) {
    case HashKind::pbkdf2: return {kWeakBelowIterations, kIterationsMax, 100'000};
    case HashKind::argon2id:
      return {1, static_cast<std::uint32_t>(kArgon2WorkKibMax / kArgon2MemoryKib), 2};
    case HashKind::scram: return {kScramIterationsMin, kIterationsMax, 100'000};
  }
  return {};
}

std::string make_password_hash(std::string_view password, HashParameters parameters) {
  const std::uint32_t count =
      parameters.iterations != 0 ? parameters.iterations : iteration_range(parameters.kind).usual;
  switch (parameters.kind) {
    case HashKind::pbkdf2: return new_pbkdf2(password, count);
    case HashKind::argon2id: return new_argon2(password, count);
    case HashKind::scram: return new_scram(password, count);
  }
  return {};
}

}  // namespace linnet::auth
