// Whole tokens: real ones of each algorithm, and forged ones.
#include "auth/jwt.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "jwt_maker.hpp"
#include "jwt_samples.hpp"

namespace linnet::auth {
namespace {

using test::kClaims;
using test::Keys;
using test::kHeader;
using test::kNow_s;
using test::make_token;

constexpr std::string_view kWrongSignature = "the token's signature is wrong";

std::vector<std::string_view> all_keys() {
  return {samples::kSecret, samples::kRsaPem, samples::kEcPem, samples::kEdPem};
}

TEST(Jwt, TakesTokensOfEachAlgorithm) {
  for (const auto& keys_of : {all_keys(), {samples::kJwkSet}}) {
    Keys keys(keys_of);
    const auto jwt = keys.load();
    ASSERT_NE(jwt, nullptr) << keys.errors.front();
    for (const auto token : {samples::kHs256, samples::kRs256, samples::kEs256,
                             samples::kEs256SmallR, samples::kEs256SmallS, samples::kEdDsa}) {
      EXPECT_TRUE(Jwt::looks_like_token(token));
      const auto verdict = jwt->verify(token, "", kNow_s);
      ASSERT_TRUE(verdict.valid) << verdict.fault;
      EXPECT_EQ(verdict.identity.user_name, "anna");
      EXPECT_EQ(verdict.identity.method, Method::jwt);
      ASSERT_NE(verdict.identity.grants, nullptr);
      EXPECT_EQ(verdict.identity.grants->groups, (std::vector<std::string>{"staff", "ops"}));
      EXPECT_EQ(verdict.identity.grants->expires_at_s, 4'102'444'800 + 30);
      ASSERT_EQ(verdict.identity.grants->rules.size(), 1U);
      EXPECT_EQ(verdict.identity.grants->rules[0].publish.size(), 1U);
      EXPECT_TRUE(verdict.identity.grants->rules[0].subscribe.empty());
    }
  }
}

// RFC 7515, appendix A.1 to A.3: claims of 2011, and iss for the user.
constexpr std::string_view kRfcClaims =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ";

struct RfcExample {
  std::string_view key;
  std::string_view header;
  std::string_view signature;
};

constexpr RfcExample kRfc[] = {
    {R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75)"
     R"(aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})",
     "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
    {R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4)"
     R"(qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OM)"
     R"(g0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3)"
     R"(qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4F)"
     R"(RWyuXpoQ","e":"AQAB"})",
     "eyJhbGciOiJSUzI1NiJ9",
     "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
     "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb"
     "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO"
     "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
    {R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
     R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
     "eyJhbGciOiJFUzI1NiJ9",
     "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
};

TEST(Jwt, TakesTheExamplesOfRfc7515InTheirTime) {
  for (const auto& example : kRfc) {
    Keys keys({example.key});
    keys.config.user_claim = "iss";
    const auto jwt = keys.load();
    ASSERT_NE(jwt, nullptr) << keys.errors.front();
    const auto token = cat(example.header, '.', kRfcClaims, '.', example.signature);
    const auto verdict = jwt->verify(token, "joe", 1'300'819'379);
    EXPECT_TRUE(verdict.valid) << verdict.fault;
    EXPECT_EQ(verdict.identity.user_name, "joe");
    EXPECT_TRUE(jwt->verify(token, "", 1'300'819'380 + 29).valid);
    EXPECT_EQ(jwt->verify(token, "", 1'300'819'380 + 30).fault, "the token has expired");
    EXPECT_EQ(jwt->verify(token, "", kNow_s).fault, "the token has expired");
  }
}

TEST(Jwt, AHeaderSignedWithThePublicKeyAsSecretIsRefused) {
  EXPECT_EQ(Keys({samples::kRsaPem}).fault_of(samples::kForgedByRsaPem),
            "there is no key for the token's alg, HS256");
  EXPECT_EQ(Keys(all_keys()).fault_of(samples::kForgedByRsaPem), kWrongSignature);
}

TEST(Jwt, AlgNoneIsRefused) {
  Keys keys(all_keys());
  constexpr std::string_view kFault = "the token's alg is none of HS256, RS256, ES256 and EdDSA";
  EXPECT_TRUE(Jwt::looks_like_token(samples::kUnsigned));
  EXPECT_EQ(keys.fault_of(samples::kUnsigned), kFault);
  for (const auto* alg : {R"("none")", R"("None")", R"("hs256")", R"("HS512")", R"("")", "null",
                          "1", R"(["HS256"])"}) {
    EXPECT_EQ(keys.fault_of(make_token(cat(R"({"alg":)", alg, "}"), kClaims)), kFault) << alg;
  }
  EXPECT_EQ(keys.fault_of(make_token("{}", kClaims)), kFault);
}

TEST(Jwt, OnlyConfiguredAlgorithmsCount) {
  Keys keys(all_keys());
  keys.config.algorithms = {"ES256", "EdDSA"};
  EXPECT_EQ(keys.fault_of(samples::kEs256), "");
  EXPECT_EQ(keys.fault_of(samples::kEdDsa), "");
  EXPECT_EQ(keys.fault_of(samples::kHs256), "there is no key for the token's alg, HS256");
  EXPECT_EQ(keys.fault_of(samples::kRs256), "there is no key for the token's alg, RS256");
}

TEST(Jwt, HeadersThatCannotBeUnderstoodAreRefused) {
  Keys keys({samples::kSecret});
  ASSERT_EQ(keys.fault_of(make_token(kHeader, kClaims)), "");
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"({"alg":"HS256","crit":["b64"],"b64":false})",
       "the token's header has a crit, and nothing of that kind is known here"},
      {R"({"alg":"HS256","crit":[]})",
       "the token's header has a crit, and nothing of that kind is known here"},
      {R"({"alg":"none","alg":"HS256"})", "the token's header has a key twice"},
      {R"({"alg":"HS256","x":{"a":1,"a":1}})", "the token's header has a key twice"},
      {R"({"alg":"HS256","al\u0067":"HS256"})", "the token's header has a key twice"},
      {R"({"alg":"HS256","kid":7})", "the token's kid is no text"},
      {R"({"alg":"HS256"} x)", "the token's header is not JSON"},
      {R"({"alg":"HS256",})", "the token's header is not JSON"},
      {R"({"alg":"HS256"/**/})", "the token's header is not JSON"},
      {R"(["HS256"])", "the token's header is not a JSON object"},
      {"{\"alg\":\"HS256\",\"x\":\"\xFF\"}", "the token's header is not UTF-8"},
      {R"({"alg":"HS256","x":"\ud800"})", "the token's header is not JSON"},
      {R"({"alg":"HS256","x":[[[[[[[[1]]]]]]]]})", "the token's header is nested too deep"},
      {"", "the token's header is not JSON"},
  };
  for (const auto& [header, fault] : cases) {
    EXPECT_EQ(keys.fault_of(make_token(header, kClaims)), fault) << header;
  }
  EXPECT_EQ(keys.fault_of(make_token(R"({"alg":"HS256","x":[[[[[[[1]]]]]]]})", kClaims)), "");
}

TEST(Jwt, EveryChangedCharacterIsNoticed) {
  Keys keys(all_keys());
  const auto jwt = keys.load();
  ASSERT_NE(jwt, nullptr);
  for (const auto sample : {samples::kHs256, samples::kRs256, samples::kEs256, samples::kEdDsa}) {
    for (std::size_t i = 0; i < sample.size(); ++i) {
      std::string token(sample);
      token[i] = token[i] == 'A' ? 'B' : 'A';
      EXPECT_FALSE(jwt->verify(token, "", kNow_s).valid) << i;
    }
  }
}

TEST(Jwt, EveryTruncatedTokenIsRefused) {
  Keys keys(all_keys());
  const auto jwt = keys.load();
  ASSERT_NE(jwt, nullptr);
  for (const auto sample : {samples::kHs256, samples::kRs256, samples::kEs256, samples::kEdDsa}) {
    for (std::size_t size = 0; size < sample.size(); ++size) {
      EXPECT_FALSE(jwt->verify(sample.substr(0, size), "", kNow_s).valid) << size;
    }
  }
}

TEST(Jwt, SignaturesHaveOneFormOnly) {
  Keys keys(all_keys());
  for (const auto sample : {samples::kHs256, samples::kRs256, samples::kEs256, samples::kEdDsa}) {
    const std::string token(sample);
    for (const auto* tail : {"=", "==", "\n", " ", "A", "AA", "AAAA"}) {
      EXPECT_EQ(keys.fault_of(token + tail), kWrongSignature) << tail;
    }
    EXPECT_EQ(keys.fault_of(" " + token), "the token's header is not base64url");
    EXPECT_EQ(keys.fault_of(token + "."), "the token has not three parts");
  }
  // The last character of an HMAC has two bits too many; with any of them set it is no base64url.
  auto token = make_token(kHeader, kClaims);
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  token.back() = kAlphabet[kAlphabet.find(token.back()) + 1];
  EXPECT_EQ(keys.fault_of(token), kWrongSignature);
}

TEST(Jwt, Es256SignaturesOfOtherFormsAreRefused) {
  Keys keys({samples::kEcPem});
  const auto dot = samples::kEs256.rfind('.');
  const auto with = [&](const std::string& signature) {
    return cat(samples::kEs256.substr(0, dot + 1), test::encode_base64url(signature));
  };
  EXPECT_EQ(keys.fault_of(with(std::string(64, '\0'))), kWrongSignature);
  EXPECT_EQ(keys.fault_of(with(std::string(64, '\xFF'))), kWrongSignature);
  EXPECT_EQ(keys.fault_of(with("")), kWrongSignature);
  for (const std::size_t size : {1U, 32U, 63U, 65U, 70U, 72U, 128U}) {
    EXPECT_EQ(keys.fault_of(with(std::string(size, '\x30'))), kWrongSignature) << size;
  }
}

TEST(Jwt, AlgorithmsAreNotMixedUp) {
  // The header says another algorithm than the signature is of: none of the keys takes it.
  Keys keys(all_keys());
  for (const auto* alg : {"RS256", "ES256", "EdDSA"}) {
    EXPECT_EQ(keys.fault_of(make_token(cat(R"({"alg":")", alg, R"("})"), kClaims)),
              kWrongSignature);
  }
}

TEST(Jwt, TokensBeyondSixteenKibAreRefused) {
  Keys keys({samples::kSecret});
  const auto padded = [](std::size_t size) {
    return make_token(kHeader, cat(R"({"sub":"anna","x":")", std::string(size, 'x'), R"("})"));
  };
  EXPECT_EQ(keys.fault_of(padded(12'000)), "");
  EXPECT_EQ(keys.fault_of(padded(13'000)), "the token has more than 16 KiB");
}

TEST(Jwt, TheKidChoosesAmongKeysThatHaveOne) {
  constexpr std::string_view kNoKey = "there is no key for the token's alg, RS256, with its kid";
  Keys set({samples::kJwkSet});
  EXPECT_EQ(set.fault_of(samples::kRs256Kid), "");
  EXPECT_EQ(set.fault_of(samples::kRs256OtherKid), kNoKey);
  Keys pem({samples::kRsaPem});
  EXPECT_EQ(pem.fault_of(samples::kRs256OtherKid), "");
  Keys both({samples::kJwkSet, samples::kRsaPem});
  EXPECT_EQ(both.fault_of(samples::kRs256OtherKid), "");
  // A kid of a key for another algorithm is of no use.
  EXPECT_EQ(set.fault_of(make_token(R"({"alg":"HS256","kid":"s1"})", kClaims)), "");
  EXPECT_EQ(set.fault_of(make_token(R"({"alg":"HS256","kid":"r1"})", kClaims)),
            "there is no key for the token's alg, HS256, with its kid");
}

TEST(Jwt, WithoutAKidAtMostEightKeysAreTried) {
  const auto keys_with_right_one_at = [](std::size_t place) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < 10; ++i) {
      texts.push_back(i == place ? std::string(samples::kSecret)
                                 : std::string(40, static_cast<char>('a' + i)));
    }
    Keys keys(std::vector<std::string_view>(texts.begin(), texts.end()));
    return keys.fault_of(samples::kHs256);
  };
  EXPECT_EQ(keys_with_right_one_at(0), "");
  EXPECT_EQ(keys_with_right_one_at(7), "");
  EXPECT_EQ(keys_with_right_one_at(8), kWrongSignature);
}

TEST(Jwt, TheUserNameOfConnectMustBeTheTokens) {
  Keys keys({samples::kSecret});
  EXPECT_EQ(keys.fault_of(samples::kHs256, "anna"), "");
  for (const auto* user : {"bob", "Anna", "anna ", "ann"}) {
    EXPECT_EQ(keys.fault_of(samples::kHs256, user),
              "the token is for another user than the user name that came with it");
  }
}

TEST(Jwt, ClaimsThatAreNoBase64urlAreRefused) {
  Keys keys({samples::kSecret});
  const auto header = test::encode_base64url(kHeader);
  for (const auto* claims : {"e30=", "e3 0", "e", "e31"}) {
    EXPECT_EQ(keys.fault_of(test::sign(cat(header, '.', claims))),
              "the token's second part is not base64url")
        << claims;
  }
}

TEST(Jwt, KnowsATokenByItsLooks) {
  EXPECT_TRUE(Jwt::looks_like_token("eyJh.e30.AA"));
  EXPECT_TRUE(Jwt::looks_like_token("eyJh.e30."));
  for (const auto* text : {"", ".", "..", "...", "a.b.c", "eyJh", "eyJh.e30", "eyJh.e30.AA.AA",
                           "eyJh..AA", "eyJh.e30.A A", "eyJh.e30.AA=", "e.e30.AA",
                           "secret.pass.word", "eaJh.e30.AA", "eyJh.e\xC3\xA4.AA"}) {
    EXPECT_FALSE(Jwt::looks_like_token(text)) << text;
  }
  EXPECT_FALSE(Jwt::looks_like_token(std::string(60'000, '.')));
}

}  // namespace
}  // namespace linnet::auth
