#include "auth/scram.hpp"

#include <gtest/gtest.h>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "unit/auth/scram_client.hpp"

namespace linnet::auth::test {
namespace {

using State = ScramServer::Step::State;

constexpr std::string_view kSecret = "a secret of the server";
const std::string kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const std::string kSalt = bytes_of_base64("W22ZaJ0SNY7soEsUEjb6gQ==");
// The entry of a user "old" of Mosquitto's kind.
const std::string kOldEntry =
    "old:$7$101$c2FsdHNhbHRzYQ==$" + base64_of(std::string(64, 'h')) + "\n";

PasswordFile file_of(const std::string& text) {
  std::vector<std::string> errors;
  auto file = PasswordFile::parse(text, "passwords", errors);
  EXPECT_TRUE(file.has_value()) << (errors.empty() ? "" : errors.front());
  return std::move(file).value();
}

const PasswordFile& passwords() {
  static const auto file = file_of(scram_entry("user", "pencil", kSalt, 4096) + kOldEntry +
                                   scram_entry("a,b=c", "pencil", kSalt, 5000) +
                                   scram_entry("J\xc3\xbcrgen", "pencil", kSalt, 4096));
  return file;
}

ScramServer server(std::string_view secret = kSecret) {
  return ScramServer(passwords(), secret, kServerNonce);
}

ScramClient client(std::string user = "user", std::string password = "pencil") {
  ScramClient made;
  made.user = std::move(user);
  made.password = std::move(password);
  return made;
}

struct Exchange {
  ScramServer::Step first, final;
  std::string user_name;
  bool mutual = false;  // the server has proven that it knows the password
};

Exchange run(ScramClient& client, ScramServer server = ::linnet::auth::test::server()) {
  Exchange exchange;
  exchange.first = server.next(client.first());
  if (exchange.first.state != State::go_on) return exchange;
  const auto answer = client.final(exchange.first.data);
  EXPECT_NE(answer, "") << exchange.first.data;
  EXPECT_EQ(server.user_name(), "");
  exchange.final = server.next(answer);
  exchange.user_name = server.user_name();
  exchange.mutual = client.accepts(exchange.final.data);
  return exchange;
}

void expect_failed(const ScramServer::Step& step, std::string_view error) {
  EXPECT_EQ(step.state, State::failed);
  EXPECT_EQ(step.data, error);
  EXPECT_NE(step.fault, "");
  EXPECT_EQ(step.wrong_login, false);
}

void expect_first_fails(const std::string& message, std::string_view error) {
  SCOPED_TRACE(message.substr(0, 100));
  auto scram = server();
  expect_failed(scram.next(message), error);
  EXPECT_EQ(scram.user_name(), "");
  expect_failed(scram.next("n,,n=user,r=abc"), "e=other-error");
}

void expect_final_fails(const std::string& message, std::string_view error) {
  SCOPED_TRACE(message.substr(0, 100));
  auto scram = server();
  auto user = client();
  const auto first = scram.next(user.first());
  const auto right = user.final(first.data);
  expect_failed(scram.next(message), error);
  EXPECT_EQ(scram.user_name(), "");
  expect_failed(scram.next(right), "e=other-error");
}

const std::string kNonces = "r=rOprNGfwEbeRWgbNEkqO" + kServerNonce;
const std::string kProof = ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

TEST(Scram, ExampleOfRfc7677) {
  auto scram = server();
  const auto first = scram.next("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  EXPECT_EQ(first.state, State::go_on);
  EXPECT_EQ(first.data, kNonces + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  EXPECT_EQ(scram.user_name(), "");
  const auto final = scram.next("c=biws," + kNonces + kProof);
  EXPECT_EQ(final.state, State::done);
  EXPECT_EQ(final.data, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  EXPECT_EQ(final.fault, "");
  EXPECT_EQ(scram.user_name(), "user");
}

TEST(Scram, NothingComesAfterTheEnd) {
  auto scram = server();
  auto user = client();
  const auto answer = user.final(scram.next(user.first()).data);
  EXPECT_EQ(scram.next(answer).state, State::done);
  expect_failed(scram.next(answer), "e=other-error");
  EXPECT_EQ(scram.user_name(), "user");
}

TEST(Scram, HeadersWithoutChannelBinding) {
  for (const char* header : {"n,,", "y,,", "n,a=user,", "y,a=user,", "n,a=,"}) {
    auto user = client();
    user.gs2_header = header;
    const auto exchange = run(user);
    EXPECT_EQ(exchange.final.state, State::done) << header << exchange.first.fault;
    EXPECT_TRUE(exchange.mutual);
  }
}

TEST(Scram, ChannelBindingIsNotToBeHad) {
  for (const char* message : {"p=tls-exporter,,n=user,r=abc", "p=tls-unique,a=user,n=user,r=abc"}) {
    expect_first_fails(message, "e=channel-binding-not-supported");
  }
}

TEST(Scram, NobodyActsAsAnother) {
  for (const char* message :
       {"n,a=root,n=user,r=abc", "n,a=user=2C,n=user,r=abc", "n,a=User,n=user,r=abc"}) {
    expect_first_fails(message, "e=other-error");
  }
  expect_first_fails("n,a=us=er,n=user,r=abc", "e=invalid-username-encoding");
}

TEST(Scram, NamesWithCommasAndUtf8) {
  for (const char* name : {"a,b=c", "J\xc3\xbcrgen"}) {
    auto user = client(name);
    const auto exchange = run(user);
    EXPECT_EQ(exchange.final.state, State::done) << name;
    EXPECT_EQ(exchange.user_name, name);
    EXPECT_TRUE(exchange.mutual);
  }
  auto user = client("a,b=c");
  user.gs2_header = "n,a=a=2Cb=3Dc,";
  EXPECT_EQ(run(user).user_name, "a,b=c");
}

TEST(Scram, NamesThatAreNone) {
  for (const std::string& name :
       {std::string(), std::string("a=b"), std::string("a="), std::string("=2"), std::string("=2c"),
        std::string("=3d"), std::string("=41"), std::string("a\nb"), std::string("a\x7f"),
        std::string("\0", 1), std::string("\xff"), std::string("a\xc3"), std::string("\xc0\xaf"),
        std::string("\xed\xa0\x80")}) {
    expect_first_fails("n,,n=" + name + ",r=abc", "e=invalid-username-encoding");
  }
}

TEST(Scram, FirstMessagesThatAreNone) {
  for (const std::string& message : {std::string(),
                                     std::string("n"),
                                     std::string("n,"),
                                     std::string("n,,"),
                                     std::string("n=user,r=abc"),
                                     std::string("N,,n=user,r=abc"),
                                     std::string(",,n=user,r=abc"),
                                     std::string("n,user,n=user,r=abc"),
                                     std::string("n,,n=user"),
                                     std::string("n,,n=user,"),
                                     std::string("n,,n=user,r="),
                                     std::string("n,,n=user,r=a b"),
                                     std::string("n,,n=user,r=\xc3"),
                                     std::string("n,,n=user,r=a\x7f"),
                                     std::string("n,,n=user,x=1,r=abc"),
                                     std::string("n,,r=abc,n=user"),
                                     std::string("n,,x=1,n=user,r=abc"),
                                     std::string("n,,n=user,r=abc,"),
                                     std::string("n,,n=user,r=abc,x"),
                                     std::string("n,,n=user,r=abc,x="),
                                     std::string("n,,n=user,r=abc,1=1"),
                                     std::string("n,,n=user,r=abc,xy=1"),
                                     std::string("n,,n=user,r=abc,r=def"),
                                     std::string("n,,n=user,r=abc,n=root"),
                                     std::string("n,,n=user,r=abc,x=\xff"),
                                     std::string("n,,n=user,r=abc,x=\0", 19),
                                     std::string("n,,n=user,r=abc,,x=1"),
                                     std::string("c=biws,r=abc,p=AAAA")}) {
    expect_first_fails(message, "e=invalid-encoding");
  }
}

TEST(Scram, LongMessagesAreNotLookedAt) {
  const std::string start = "n,,n=user,r=abc,x=";
  auto scram = server();
  EXPECT_EQ(scram.next(start + std::string(4096 - start.size(), 'x')).state, State::go_on);
  expect_first_fails(start + std::string(4097 - start.size(), 'x'), "e=other-error");
  const std::string final = "c=biws," + kNonces + ",x=" + std::string(4096, 'x') + kProof;
  expect_final_fails(final, "e=other-error");
}

TEST(Scram, Extensions) {
  auto user = client();
  user.first_extensions = ",x=1,Z==,h=\xc3\xbc";
  user.final_extensions = ",y=a=b,x=2";
  EXPECT_TRUE(run(user).mutual);
  for (const char* message :
       {"n,,m=x,n=user,r=abc", "n,,n=user,r=abc,m=x", "n,,n=user,r=abc,x=1,m=x"}) {
    expect_first_fails(message, "e=extensions-not-supported");
  }
  expect_final_fails("m=x,c=biws," + kNonces + kProof, "e=extensions-not-supported");
  expect_final_fails("c=biws," + kNonces + ",m=x" + kProof, "e=extensions-not-supported");
  expect_final_fails("c=biws," + kNonces + ",x=1,m=x" + kProof, "e=extensions-not-supported");
}

TEST(Scram, FinalMessagesThatAreNone) {
  const auto start = "c=biws," + kNonces;
  for (const std::string& message : {std::string(),
                                     std::string(","),
                                     std::string("c"),
                                     std::string("c=biws"),
                                     start,
                                     start + ',',
                                     start + ",p",
                                     start + ",p=A",
                                     start + ",p=????",
                                     start + ",p=AAB=",
                                     start + ",x=1",
                                     start + kProof + ",x=1",
                                     start + kProof + kProof,
                                     start + ",x" + kProof,
                                     start + ",v=1" + kProof,
                                     start + kProof + '\n',
                                     start + ",x=\xff" + kProof,
                                     "c=biw," + kNonces + kProof,
                                     "c=biwt=," + kNonces + kProof,
                                     kNonces + ",c=biws" + kProof,
                                     "C=biws," + kNonces + kProof,
                                     "c=biws,r=" + kProof,
                                     "n,,n=user,r=abc" + kProof,
                                     "c=biws,x=1," + kNonces + kProof}) {
    expect_final_fails(message, "e=invalid-encoding");
  }
  for (const std::size_t size : {0U, 1U, 20U, 31U, 33U, 64U}) {
    expect_final_fails(start + ",p=" + base64_of(std::string(size, 'p')), "e=invalid-proof");
  }
}

TEST(Scram, TheChannelBindingIsTheHeader) {
  for (const char* header : {"", "y,,", "n,a=user,", "n,", "p=tls-exporter,,"}) {
    expect_final_fails("c=" + base64_of(header) + ',' + kNonces + kProof,
                       "e=channel-bindings-dont-match");
  }
}

TEST(Scram, NoncesOfOtherExchanges) {
  for (const std::string& nonce :
       {std::string("rOprNGfwEbeRWgbNEkqO"), kServerNonce, "rOprNGfwEbeRWgbNEkqP" + kServerNonce,
        "rOprNGfwEbeRWgbNEkqO" + kServerNonce + 'x'}) {
    expect_final_fails("c=biws,r=" + nonce + kProof, "e=other-error");
  }
  // A proof that was overheard is worth nothing under another nonce of the server's.
  ScramServer scram(passwords(), kSecret, 'a' + kServerNonce);
  EXPECT_EQ(scram.next("n,,n=user,r=rOprNGfwEbeRWgbNEkqO").state, State::go_on);
  const auto step = scram.next("c=biws,r=rOprNGfwEbeRWgbNEkqOa" + kServerNonce + kProof);
  EXPECT_EQ(step.data, "e=invalid-proof");
  EXPECT_TRUE(step.wrong_login);
}

TEST(Scram, WrongPasswords) {
  for (const char* password : {"", "Pencil", "pencil ", "penci"}) {
    auto user = client("user", password);
    const auto exchange = run(user);
    EXPECT_EQ(exchange.final.state, State::failed);
    EXPECT_EQ(exchange.final.data, "e=invalid-proof");
    EXPECT_TRUE(exchange.final.wrong_login);
    EXPECT_EQ(exchange.final.fault, "the password of user \"user\" is wrong");
    EXPECT_EQ(exchange.user_name, "");
    EXPECT_FALSE(exchange.mutual);
  }
}

TEST(Scram, ChangedMessagesBreakTheProof) {
  auto scram = server();
  auto user = client();
  const auto first = scram.next(user.first());
  auto answer = user.final(first.data);
  answer.insert(answer.find(",p="), ",x=1");
  EXPECT_TRUE(scram.next(answer).wrong_login);

  auto other = server();
  EXPECT_EQ(other.next(user.first() + ",x=1").state, State::go_on);
  EXPECT_TRUE(other.next(user.final(first.data)).wrong_login);
}

TEST(Scram, NobodyCanTellUsersThatThereAreNone) {
  auto user = client("user", "wrong");
  const auto known = run(user);
  for (const auto& [name, fault] :
       {std::pair{"nobody", "there is no user"}, std::pair{"User", "there is no user"},
        std::pair{"old", "linnet passwd --kind scram"}}) {
    auto stranger = client(name);
    const auto exchange = run(stranger);
    EXPECT_EQ(exchange.first.state, State::go_on);
    EXPECT_EQ(exchange.first.data.size(), known.first.data.size());
    EXPECT_EQ(stranger.salt.size(), user.salt.size());
    EXPECT_EQ(stranger.iterations, user.iterations);
    EXPECT_EQ(exchange.final.state, known.final.state);
    EXPECT_EQ(exchange.final.data, known.final.data);
    EXPECT_EQ(exchange.final.wrong_login, known.final.wrong_login);
    EXPECT_NE(exchange.final.fault.find(fault), std::string::npos) << exchange.final.fault;
    EXPECT_EQ(exchange.user_name, "");
  }
}

TEST(Scram, StrangersLookLikeMostUsers) {
  const std::string long_salt(100, 's');
  struct Case {
    std::string text;
    int iterations;
    std::size_t salt_bytes;
  };
  for (const auto& [text, iterations, salt_bytes] :
       {Case{"", 100000, 16}, Case{kOldEntry, 100000, 16},
        Case{kOldEntry + scram_entry("a", "x", long_salt, 7000), 7000, 100},
        Case{scram_entry("a", "x", "salt", 4096) + scram_entry("b", "x", long_salt, 5000) +
                 scram_entry("c", "y", std::string(100, 't'), 5000) +
                 scram_entry("d", "x", "salt", 5000),
             5000, 100}}) {
    const auto file = file_of(text);
    auto stranger = client("nobody");
    EXPECT_EQ(run(stranger, ScramServer(file, kSecret, kServerNonce)).final.wrong_login, true);
    EXPECT_EQ(stranger.iterations, iterations);
    EXPECT_EQ(stranger.salt.size(), salt_bytes);
    EXPECT_EQ(std::set<char>(stranger.salt.begin(), stranger.salt.end()).size() > 8, true);
  }
}

TEST(Scram, TakesWhatPasswdWrites) {
  const auto file = file_of("anna:" + make_password_hash("pencil", {HashKind::scram, 0}) + '\n');
  auto anna = client("anna");
  EXPECT_TRUE(run(anna, ScramServer(file, kSecret, kServerNonce)).mutual);
}

TEST(Scram, SaltsOfStrangersStayAndDiffer) {
  std::set<std::string> salts;
  for (const char* name : {"nobody", "old", "a", "b"}) {
    for (const std::string_view secret : {kSecret, std::string_view("another secret of it")}) {
      auto once = client(name);
      auto again = client(name);
      run(once, server(secret));
      run(again, server(secret));
      EXPECT_EQ(once.salt, again.salt);
      EXPECT_TRUE(salts.insert(once.salt).second) << name;
    }
  }
}

TEST(Scram, AnyPasswordGoesRound) {
  std::mt19937 random(20240229);
  const auto number = [&random](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random);
  };
  const auto bytes = [&](int most) {
    std::string text(static_cast<std::size_t>(number(1, most)), '\0');
    for (char& byte : text)
      byte = static_cast<char>(number(0, 255));
    return text;
  };
  for (int round = 0; round < 200; ++round) {
    std::string name;
    while (name.empty()) {
      for (int left = number(1, 30); left > 0; --left)
        name += static_cast<char>(number(33, 126));
      std::erase_if(name, [](char character) { return character == ':' || character == '#'; });
    }
    const auto password = bytes(80);
    const int iterations = number(4096, 4200);
    const auto file = file_of(scram_entry(name, password, bytes(32), iterations));
    auto right = client(name, password);
    right.nonce = base64_of(bytes(24));
    right.gs2_header = number(0, 1) == 0 ? "n,," : "y,,";
    const auto exchange = run(right, ScramServer(file, kSecret, kServerNonce));
    EXPECT_EQ(exchange.final.state, State::done) << exchange.final.fault;
    EXPECT_TRUE(exchange.mutual);
    EXPECT_EQ(exchange.user_name, name);
    auto wrong = client(name, password + 'x');
    EXPECT_TRUE(run(wrong, ScramServer(file, kSecret, kServerNonce)).final.wrong_login);
  }
}

TEST(ScramDeathTest, NoncesAndSecretsAreNotWeak) {
  EXPECT_DEATH(ScramServer(passwords(), kSecret, "short"), "nonce");
  EXPECT_DEATH(ScramServer(passwords(), kSecret, std::string(18, ',')), "nonce");
  EXPECT_DEATH(ScramServer(passwords(), "", kServerNonce), "secret");
}

}  // namespace
}  // namespace linnet::auth::test
