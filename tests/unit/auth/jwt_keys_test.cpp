// What is taken for a key, and above all what is not.
#include "auth/jwt_keys.hpp"

#include <gtest/gtest.h>

#include "auth/base64url.hpp"
#include "base/cat.hpp"
#include "jwt_maker.hpp"
#include "jwt_samples.hpp"

namespace linnet::auth {
namespace {

// "HS256 ES256", or what is wrong.
std::string read(std::string_view text) {
  std::vector<JwtKey> keys;
  std::vector<std::string> errors;
  if (!parse_jwt_keys(text, "file", keys, errors)) {
    EXPECT_EQ(errors.size(), 1U);
    EXPECT_TRUE(keys.empty());
    return errors.empty() ? "no error" : errors.front();
  }
  EXPECT_TRUE(errors.empty());
  std::string names;
  for (const auto& key : keys) {
    if (!names.empty()) names += ' ';
    names += name_of(key.algorithm());
    if (!key.kid().empty()) names += cat('/', key.kid());
  }
  return names;
}

std::string binary_of(std::string_view pem) {
  std::string der(pem.size(), '\0');
  const auto begin = pem.find('\n') + 1;
  std::string text;
  for (const char character : pem.substr(begin, pem.rfind("-----END") - begin)) {
    if (character == '+') text += '-';
    if (character == '/') text += '_';
    if (character != '\n' && character != '=' && character != '+' && character != '/') {
      text += character;
    }
  }
  return decode_base64url(text).value();
}

std::string replaced(std::string_view text, std::string_view what, std::string_view by) {
  std::string result(text);
  const auto at = result.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? result : result.replace(at, what.size(), by);
}

TEST(JwtKeys, ReadsEachForm) {
  EXPECT_EQ(read(samples::kSecret), "HS256");
  EXPECT_EQ(read(samples::kRsaPem), "RS256");
  EXPECT_EQ(read(samples::kEcPem), "ES256");
  EXPECT_EQ(read(samples::kEdPem), "EdDSA");
  EXPECT_EQ(read(samples::kJwkSet), "RS256/r1 ES256/e1 EdDSA/d1 HS256/s1");
  EXPECT_EQ(read(cat("\xEF\xBB\xBF \n", samples::kJwkSet)), "RS256/r1 ES256/e1 EdDSA/d1 HS256/s1");
}

TEST(JwtKeys, ReadsManyPemBlocksAndWhatStandsBetweenThem) {
  EXPECT_EQ(read(cat("of the first service\n", samples::kRsaPem, "of the second\n", samples::kEdPem,
                     "\n\n", samples::kEcPem, "end\n")),
            "RS256 EdDSA ES256");
}

TEST(JwtKeys, ASecretHasThirtyTwoBytesWithoutItsLineBreak) {
  constexpr std::string_view kShort =
      "file: has 31 bytes; a shared secret needs 32 or more, such as `openssl rand -base64 48` "
      "makes";
  EXPECT_EQ(read(std::string(32, 's')), "HS256");
  EXPECT_EQ(read(std::string(31, 's')), kShort);
  EXPECT_EQ(read(std::string(31, 's') + "\n"), kShort);
  EXPECT_EQ(read(std::string(31, 's') + "\r\n"), kShort);
  EXPECT_EQ(read(std::string(31, 's') + "\n\n"), "HS256");
  EXPECT_EQ(read(std::string(32, '\0')), "HS256");
  EXPECT_EQ(read("").substr(0, 17), "file: has 0 bytes");
  test::Keys with_line_break({cat(samples::kSecret, "\n")});
  EXPECT_EQ(with_line_break.fault_of(samples::kHs256), "");
}

TEST(JwtKeys, WhatCouldBeAPublicKeyIsNeverASecret) {
  constexpr std::string_view kOther = "file: is a public key, and not in PEM";
  const auto pem = samples::kRsaPem;
  const auto begin = pem.find('\n') + 1;
  const auto bare = pem.substr(begin, pem.rfind("-----END") - begin);
  EXPECT_EQ(read(bare).substr(0, kOther.size()), kOther);
  std::string one_line;
  for (const char character : bare) {
    if (character != '\n') one_line += character;
  }
  EXPECT_EQ(read(one_line).substr(0, kOther.size()), kOther);
  for (const auto sample : {samples::kRsaPem, samples::kEcPem, samples::kEdPem}) {
    EXPECT_EQ(read(binary_of(sample)).substr(0, kOther.size()), kOther);
  }
  EXPECT_EQ(read(samples::kSshKey).substr(0, kOther.size()), kOther);
  // Cut off, or with something before it, it is damaged PEM.
  EXPECT_EQ(read(pem.substr(0, 200)), "file: is damaged PEM");
  EXPECT_EQ(read(cat("Key: ", pem)), "file: is damaged PEM");
  EXPECT_EQ(read(cat(samples::kEdPem, pem.substr(0, 200))), "file: is damaged PEM");
  // A set that is damaged stays one.
  EXPECT_EQ(read(samples::kJwkSet.substr(0, 300)),
            "file: begins as a JWK Set does, but is not JSON");
  EXPECT_EQ(read("[1]"), "file: begins as a JWK Set does, but is not a JSON object");
}

TEST(JwtKeys, PrivateKeysAreAnError) {
  EXPECT_EQ(read(samples::kPrivatePem),
            "file: is a private key, which has no place here; write the public one with `openssl "
            "pkey -in FILE -pubout`");
  EXPECT_EQ(read(cat(samples::kEcPem, samples::kPrivatePem)), read(samples::kPrivatePem));
  EXPECT_EQ(read(samples::kPrivateJwk),
            "file: key 1 of the set is a private key, which has no place here; leave out `d` and "
            "the members beside it");
}

TEST(JwtKeys, OtherPemSaysHowToMendIt) {
  EXPECT_EQ(read(samples::kRsaPkcs1Pem),
            "file: is a public key in an old form; write it with `openssl rsa -RSAPublicKey_in -in "
            "FILE -pubout`");
  EXPECT_EQ(read(replaced(replaced(samples::kEcPem, "PUBLIC KEY", "CERTIFICATE"), "PUBLIC KEY",
                          "CERTIFICATE")),
            "file: is a certificate; write its public key with `openssl x509 -in FILE -noout "
            "-pubkey`");
  EXPECT_EQ(read(replaced(samples::kEcPem, "\nM", "\nN")),
            "file: is no public key that OpenSSL can read");
}

TEST(JwtKeys, WeakAndOtherKeysAreRefused) {
  EXPECT_EQ(read(samples::kRsa1024Pem),
            "file: is an RSA key of 1024 bits; RS256 needs 2048 to 8192");
  EXPECT_EQ(read(samples::kP384Pem),
            "file: is a key of another elliptic curve than P-256, which is the one of ES256");
}

TEST(JwtKeys, JwksThatAreBrokenNameTheirPlace) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"({"keys":[]})", "has no key in its set for HS256, RS256, ES256 or EdDSA"},
      {R"({"keys":{}})", "begins as a JWK Set does, but has no list `keys` of at most 256 keys"},
      {R"({"keys":[],"keys":[]})", "begins as a JWK Set does, but has a key twice"},
      {R"({"keys":[7]})", "key 1 of the set is no JWK: it has no `kty`"},
      {R"({"keys":[{"kty":"new"},{}]})", "key 2 of the set is no JWK: it has no `kty`"},
      {R"({"kty":"oct","k":"c2hvcnQ"})", "key 1 of the set has 5 bytes; a shared secret needs 32"},
      {R"({"kty":"oct","k":"c2hvcnQ="})",
       "key 1 of the set has no `k` of base64url without padding"},
      {R"({"kty":"RSA","n":"AQAB"})", "key 1 of the set has no sound `n` and `e`"},
      {R"({"kty":"RSA","n":"AQAB","e":"AQAB"})", "key 1 of the set is an RSA key of 17 bits"},
      {R"({"kty":"EC","crv":"P-256","x":"AQAB","y":"AQAB"})",
       "key 1 of the set has no sound `x` and `y`"},
      {R"({"kty":"OKP","crv":"Ed25519","x":"AQAB"})", "key 1 of the set has no sound `x` and `y`"},
  };
  for (const auto& [text, error] : cases) {
    EXPECT_EQ(read(text).substr(0, error.size() + 6), cat("file: ", error)) << text;
  }
}

TEST(JwtKeys, JwksThatContradictThemselvesAreRefused) {
  EXPECT_EQ(read(replaced(samples::kJwkSet, R"("alg": "RS256")", R"("alg": "HS256")")),
            "file: key 1 of the set has an `alg` that is not the one of its kind of key, RS256");
  EXPECT_EQ(read(replaced(samples::kJwkSet, R"("kid": "e1")", R"("kid": 1)")),
            "file: key 3 of the set has a `kid` that is no text");
  // A point that is not on the curve
  const auto at = samples::kJwkSet.find("\"y\": \"") + 6;
  std::string off(samples::kJwkSet);
  off[at] = off[at] == 'A' ? 'B' : 'A';
  EXPECT_EQ(read(off).substr(0, 43), "file: key 3 of the set has no sound `x` and");
}

TEST(JwtKeys, JwksForOtherUsesAreSkipped) {
  EXPECT_EQ(read(replaced(samples::kJwkSet, R"("use": "sig")", R"("use": "enc")")),
            "ES256/e1 EdDSA/d1 HS256/s1");
  EXPECT_EQ(read(replaced(samples::kJwkSet, R"("verify")", R"("sign")")),
            "RS256/r1 ES256/e1 HS256/s1");
  EXPECT_EQ(read(replaced(samples::kJwkSet, R"("alg": "RS256")", R"("alg": "RS512")")),
            "ES256/e1 EdDSA/d1 HS256/s1");
}

TEST(JwtKeys, TheExampleOfRfc8037IsVerified) {
  std::vector<JwtKey> keys;
  std::string error;
  ASSERT_TRUE(parse_jwk_set(R"({"kty":"OKP","crv":"Ed25519",)"
                            R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
                            keys, error))
      << error;
  const auto signature = decode_base64url(
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  ASSERT_TRUE(signature);
  constexpr std::string_view kText = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
  EXPECT_TRUE(keys[0].verify(kText, *signature));
  EXPECT_FALSE(keys[0].verify(kText.substr(1), *signature));
}

TEST(JwtKeys, LoadNamesEverythingThatIsWrong) {
  test::Keys keys({samples::kSecret, "short", samples::kPrivatePem});
  keys.config.algorithms = {"HS256", "HS512"};
  keys.config.user_claim = "";
  keys.config.keys.emplace_back("/nonexistent/key.pem");
  EXPECT_EQ(keys.load(), nullptr);
  ASSERT_EQ(keys.errors.size(), 5U);
  EXPECT_EQ(keys.errors[1],
            "auth.jwt.algorithms: \"HS512\" is not known; HS256, RS256, ES256 and EdDSA are");
  EXPECT_TRUE(keys.errors[2].starts_with(keys.config.keys[1]));
  EXPECT_TRUE(keys.errors[4].starts_with("/nonexistent/key.pem: cannot be read"));
}

TEST(JwtKeys, AnAlgorithmWithoutAKeyIsAnError) {
  test::Keys keys({samples::kSecret});
  keys.config.algorithms = {"HS256", "RS256"};
  EXPECT_EQ(keys.load(), nullptr);
  EXPECT_EQ(keys.errors, std::vector<std::string>{
                             "auth.jwt.algorithms: RS256 has no key in the files of auth.jwt.keys; "
                             "add one, or leave it out"});
  test::Keys none({});
  EXPECT_EQ(none.load(), nullptr);
  ASSERT_EQ(none.errors.size(), 1U);
  EXPECT_TRUE(none.errors[0].starts_with("auth.jwt.keys: is empty"));
}

TEST(Base64url, HasOneFormForEachText) {
  EXPECT_EQ(decode_base64url(""), "");
  EXPECT_EQ(decode_base64url("Zg"), "f");
  EXPECT_EQ(decode_base64url("Zm8"), "fo");
  EXPECT_EQ(decode_base64url("Zm9v"), "foo");
  EXPECT_EQ(decode_base64url("-_8"), "\xFB\xFF");
  for (const auto* text :
       {"Z", "Zm9vY", "Zh", "Zm9", "Zg==", "Zm8=", "Zm 8", "Zm8\n", "+/8", "Zm.8"}) {
    EXPECT_EQ(decode_base64url(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace linnet::auth
