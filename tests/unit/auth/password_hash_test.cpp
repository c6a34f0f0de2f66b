#include "auth/password_hash.hpp"

#include <gtest/gtest.h>
#include <set>
#include <string>

#include "auth/password_base64.hpp"
#include "base/cat.hpp"

namespace linnet::auth {
namespace {

/// 64 bytes and 32 bytes in base64.
const std::string kHash64 = base64_encoded(std::string(64, 'h'), Padding::full);
const std::string kHash32 = base64_encoded(std::string(32, 'h'), Padding::full);
const std::string kBare32 = base64_encoded(std::string(32, 'h'), Padding::none);
constexpr std::string_view kSalt = "c2FsdHNhbHQ=";     // saltsalt
constexpr std::string_view kBareSalt = "c2FsdHNhbHQ";  // the same as Argon2 has it

bool matches(const std::string& entry, std::string_view password) {
  std::string error;
  const auto hash = parse_password_hash(entry, error);
  if (!hash) {
    ADD_FAILURE() << entry << ": " << error;
    return false;
  }
  return verify(*hash, password);
}

std::string error_of(const std::string& entry) {
  std::string error;
  const auto hash = parse_password_hash(entry, error);
  EXPECT_NE(hash.has_value(), !error.empty()) << entry;
  return error;
}

// Computed with Python's hashlib.
TEST(PasswordHash, Pbkdf2Vectors) {
  const std::string one =
      "$7$1$c2FsdA==$hn9wzxreAs/zdSWZo6U9xK80x6ZpgVrl1RNVThyM8lLALUcKKFoFAbrZmb/pQ8CPBQI119aLHaVeY/"
      "c7YKV/zg==";
  EXPECT_TRUE(matches(one, "password"));
  EXPECT_FALSE(matches(one, "Password"));
  EXPECT_FALSE(matches(one, "passwor"));
  EXPECT_FALSE(matches(one, "password "));
  EXPECT_FALSE(matches(one, ""));
  EXPECT_TRUE(
      matches("$7$4096$c2FsdA==$0Zexsz2wFD4BixLz0dFHnmzevcyXxcD4f2kC4HL0V7UUPzBgJkGz1VzTNZiMs2uEN2"
              "Bg7NUy4Dm3QqI5Q0ry1Q==",
              "password"));
  EXPECT_TRUE(
      matches("$7$4096$c2FsdFNBTFRzYWx0U0FMVHNhbHRTQUxUc2FsdFNBTFRzYWx0$jAUR9Mbll8asYxXY8DYuIl88UB"
              "SVuiO4aMAFF03E7nERW1n55gzZUy+jPg91rv4wIlxYOhhs2CvU2uqXJKPTuA==",
              "passwordPASSWORDpassword"));
  const std::string with_nul =
      "$7$4096$c2EAbHQ=$nZ6cTNIf5L4k1bgkTHWWZfOdmPwSqcp1m7Ah2zz63zRYRK6+cN2LL2lm8l82E+EYe70k7SykPt"
      "E7JG5Gdb56uQ==";
  EXPECT_TRUE(matches(with_nul, std::string_view("pass\0word", 9)));
  EXPECT_FALSE(matches(with_nul, "pass"));
  EXPECT_TRUE(
      matches("$7$3$c2FsdA==$NXKIWEea9pnBaQ6YnroNEExsnX/2c3Okjk+H6Qy1WvdxrJNFjuS6SsJPHpJ7xKulv+1qq"
              "Cp1KtQEA/v9lXWkbA==",
              ""));
  EXPECT_TRUE(
      matches("$7$3$c2FsdA==$fgb3VXquYFfzgmDsM/Z7lnW+vMuLF5MThmKaB9MhSdI3iwyylKFSFzgYuUKBw9tH0WnlO"
              "LAt6z8kV4hPGj4E2Q==",
              std::string(200, 'x')));
}

TEST(PasswordHash, Sha512Vector) {
  const std::string entry =
      "$6$c2FsdHNhbHRzYWx0$3aiBbchfIZo+1WYrkPzJjQxZ79F/NmwLQ+wF073kTd+6ANhaic8G/jWF/X4sqSFUKpLNdm1"
      "FZjBck6HQ8knM3A==";
  EXPECT_TRUE(matches(entry, "secret"));
  EXPECT_FALSE(matches(entry, "secrets"));
  // The salt is no part of the password.
  EXPECT_FALSE(matches(entry, "secretsaltsaltsalt"));
}

// The first is of libargon2's own tests; the others are its program's, where every lane has a
// thread of its own.
TEST(PasswordHash, Argon2Vectors) {
  const std::string entry =
      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
  EXPECT_TRUE(matches(entry, "password"));
  EXPECT_FALSE(matches(entry, "passwords"));
  EXPECT_TRUE(matches(
      "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "password"));
  EXPECT_TRUE(matches(
      "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
      "password"));
  EXPECT_TRUE(matches(
      "$argon2id$v=19$m=256,t=2,p=4$c29tZXNhbHQ$vinRxJdZOVnNcB5c7v6Kb72ibZs4ksCM/yYeCpS6srE",
      "password"));
}

// The password and the salt of RFC 7677, section 3; with these keys its messages come out.
TEST(PasswordHash, ScramExample) {
  const std::string entry =
      "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wf"
      "PLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
  EXPECT_TRUE(matches(entry, "pencil"));
  EXPECT_FALSE(matches(entry, "Pencil"));
  std::string error;
  const auto hash = parse_password_hash(entry, error);
  ASSERT_TRUE(hash);
  const auto& keys = std::get<ScramKeys>(*hash);
  EXPECT_EQ(keys.iterations, 4096);
  EXPECT_EQ(base64_encoded(keys.salt, Padding::full), "W22ZaJ0SNY7soEsUEjb6gQ==");
  EXPECT_EQ(keys.stored_key.size(), 32);
  EXPECT_EQ(keys.server_key.size(), 32);
}

TEST(PasswordHash, BothScramKeysHaveToFit) {
  const std::string stored =
      "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:";
  EXPECT_FALSE(matches(stored + kHash32, "pencil"));
  EXPECT_FALSE(matches("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$" + kHash32 +
                           ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
                       "pencil"));
}

TEST(PasswordHash, NewOnesMatchTheirPassword) {
  const HashParameters kinds[] = {{HashKind::pbkdf2, 1000},
                                  {HashKind::argon2id, 1},
                                  {HashKind::scram, 4096},
                                  {HashKind::pbkdf2, 0},
                                  {HashKind::argon2id, 0}};
  std::set<std::string> entries;
  for (const HashParameters& parameters : kinds) {
    for (const std::string& password :
         {std::string("p"), std::string("a:b$c"), std::string("\0\xff ", 3)}) {
      const std::string entry = make_password_hash(password, parameters);
      EXPECT_TRUE(matches(entry, password)) << entry;
      EXPECT_FALSE(matches(entry, password + "x")) << entry;
      EXPECT_TRUE(looks_hashed(entry));
      entries.insert(entry);
      entries.insert(make_password_hash(password, parameters));
    }
  }
  EXPECT_EQ(entries.size(), 30);  // no salt comes twice
}

TEST(PasswordHash, NewOnesHaveTheDefaults) {
  EXPECT_TRUE(make_password_hash("p", {}).starts_with("$7$100000$"));
  EXPECT_TRUE(make_password_hash("p", {HashKind::argon2id, 0})
                  .starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_TRUE(make_password_hash("p", {HashKind::scram, 0}).starts_with("SCRAM-SHA-256$100000:"));
}

TEST(PasswordHash, RangesOfNewOnesAreReadAgain) {
  for (const HashKind kind : {HashKind::pbkdf2, HashKind::argon2id, HashKind::scram}) {
    const IterationRange range = iteration_range(kind);
    EXPECT_LE(range.least, range.usual);
    EXPECT_LE(range.usual, range.most);
  }
  const std::string most = std::to_string(iteration_range(HashKind::argon2id).most);
  EXPECT_EQ(error_of(cat("$argon2id$v=19$m=19456,t=", most, ",p=1$", kBareSalt, '$', kBare32)), "");
}

TEST(PasswordHash, WhatIsWeak) {
  const auto weak = [](const std::string& entry) {
    std::string error;
    const auto hash = parse_password_hash(entry, error);
    EXPECT_TRUE(hash) << error;
    return hash && is_weak(*hash);
  };
  EXPECT_TRUE(weak(cat("$6$", kSalt, '$', kHash64)));
  EXPECT_TRUE(weak(cat("$7$101$", kSalt, '$', kHash64)));
  EXPECT_FALSE(weak(cat("$7$1000$", kSalt, '$', kHash64)));
  EXPECT_TRUE(weak(cat("$argon2id$v=19$m=8,t=1,p=1$", kBareSalt, '$', kBare32)));
  EXPECT_FALSE(weak(make_password_hash("p", {HashKind::argon2id, 0})));
  EXPECT_FALSE(weak(cat("SCRAM-SHA-256$4096:", kSalt, '$', kHash32, ':', kHash32)));
}

TEST(PasswordHash, Bounds) {
  const auto pbkdf2 = [](std::string_view count) {
    return error_of(cat("$7$", count, '$', kSalt, '$', kHash64));
  };
  EXPECT_EQ(pbkdf2("1"), "");
  EXPECT_EQ(pbkdf2("10000000"), "");
  for (const char* count : {"0", "10000001", "4294967297", "99999999999999999999", "", "-1", "+1",
                            "01", " 1", "1 ", "0x10", "1.0"}) {
    EXPECT_NE(pbkdf2(count).find("iterations between 1 and 10000000"), std::string::npos) << count;
  }
  const auto scram = [](std::string_view count) {
    return error_of(cat("SCRAM-SHA-256$", count, ':', kSalt, '$', kHash32, ':', kHash32));
  };
  EXPECT_EQ(scram("4096"), "");
  EXPECT_NE(scram("4095"), "");
  EXPECT_NE(scram("10000001"), "");
  const auto argon2 = [](std::string_view costs) {
    return error_of(cat("$argon2id$v=19$", costs, '$', kBareSalt, '$', kBare32));
  };
  for (const char* costs : {"m=8,t=1,p=1", "m=128,t=1,p=16", "m=262144,t=16,p=1", "m=8,t=100,p=1"})
    EXPECT_EQ(argon2(costs), "") << costs;
  for (const char* costs :
       {"m=7,t=1,p=1", "m=15,t=1,p=2", "m=136,t=1,p=17", "m=262145,t=1,p=1", "m=262144,t=17,p=1",
        "m=8,t=0,p=1", "m=8,t=1,p=0", "m=4294967295,t=4294967295,p=1", "m=8,t=524289,p=1",
        "m=8,t=1", "t=1,m=8,p=1", "m=8,t=1,p=1,keyid=x", "m=,t=1,p=1", "m=4294967304,t=1,p=1", ""})
    EXPECT_NE(argon2(costs), "") << costs;
}

TEST(PasswordHash, Salts) {
  const auto with = [](std::size_t bytes) {
    const std::string salt = base64_encoded(std::string(bytes, 's'), Padding::full);
    return error_of(cat("$7$101$", salt, '$', kHash64));
  };
  EXPECT_NE(with(0), "");
  EXPECT_EQ(with(1), "");
  EXPECT_EQ(with(12), "");
  EXPECT_EQ(with(128), "");
  EXPECT_NE(with(129), "");
  const auto argon2 = [](std::size_t bytes) {
    const std::string salt = base64_encoded(std::string(bytes, 's'), Padding::none);
    return error_of(cat("$argon2id$v=19$m=8,t=1,p=1$", salt, '$', kBare32));
  };
  EXPECT_NE(argon2(7), "");
  EXPECT_EQ(argon2(8), "");
  EXPECT_NE(argon2(129), "");
}

TEST(PasswordHash, DamagedEntries) {
  const std::string whole[] = {cat("$7$101$", kSalt, '$', kHash64), cat("$6$", kSalt, '$', kHash64),
                               cat("SCRAM-SHA-256$4096:", kSalt, '$', kHash32, ':', kHash32)};
  for (const std::string& entry : whole) {
    ASSERT_EQ(error_of(entry), "");
    for (std::size_t length = 0; length < entry.size(); ++length)
      EXPECT_NE(error_of(entry.substr(0, length)), "") << entry.substr(0, length);
    EXPECT_NE(error_of(entry + "A"), "");
    EXPECT_NE(error_of(entry + "$"), "");
    EXPECT_NE(error_of(entry + " "), "");
    EXPECT_NE(error_of(" " + entry), "");
  }
  for (const char* other :
       {"$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$", "$argon2d$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$",
        "$argon2id$v=16$m=8,t=1,p=1$c2FsdHNhbHQ$", "$argon2id$m=8,t=1,p=1$c2FsdHNhbHQ$"})
    EXPECT_NE(error_of(other + kBare32), "") << other;
  EXPECT_NE(error_of("$7$101$" + std::string(5000, 'A')), "");
}

TEST(PasswordHash, ErrorsSayWhatIsKnownAndNothingOfTheEntry) {
  const std::string plain = error_of("hunter2");
  EXPECT_NE(plain.find("not hashed"), std::string::npos);
  EXPECT_NE(plain.find("linnet passwd"), std::string::npos);
  EXPECT_EQ(plain.find("hunter2"), std::string::npos);
  const std::string bcrypt = error_of("$2b$12$abcdefghijk");
  EXPECT_NE(bcrypt.find("unknown way"), std::string::npos);
  EXPECT_EQ(bcrypt.find("abcdef"), std::string::npos);
}

TEST(PasswordHash, WhatLooksHashed) {
  for (const char* text : {"$7$1", "$6$x", "$2b$12$x", "$argon2id$", "SCRAM-SHA-256$", "$y$j9T$x"})
    EXPECT_TRUE(looks_hashed(text)) << text;
  for (const char* text : {"", "$", "$$", "$money", "secret", "a$7$1", "scram"})
    EXPECT_FALSE(looks_hashed(text)) << text;
}

TEST(PasswordBase64, Vectors) {
  // RFC 4648, section 10.
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base64_encoded(bytes, Padding::full), text);
    EXPECT_EQ(base64_decoded(text, Padding::full), bytes);
    const std::string bare = std::string(text).substr(0, std::string_view(text).find('='));
    EXPECT_EQ(base64_encoded(bytes, Padding::none), bare);
    EXPECT_EQ(base64_decoded(bare, Padding::none), bytes);
  }
  EXPECT_EQ(base64_encoded("\xff\xfe\xfb", Padding::full), "//77");
}

TEST(PasswordBase64, OneWayToWriteBytes) {
  for (const char* text : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm9v=", "Zm9v====", "====", "=",
                           "Z", "Zm 9", "Zm9v\n", "Zm-_", "Z=g=", "Zg==Zg=="})
    EXPECT_FALSE(base64_decoded(text, Padding::full)) << text;
  for (const char* text : {"Zg==", "Zh", "Z", "Zm8=", "Zm9vY"})
    EXPECT_FALSE(base64_decoded(text, Padding::none)) << text;
}

}  // namespace
}  // namespace linnet::auth
