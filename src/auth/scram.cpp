#include "auth/scram.hpp"

#include <array>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <utility>
#include <variant>

#include "base/assert.hpp"
#include "base/cat.hpp"

namespace linnet::auth {

namespace {

using Digest = std::array<unsigned char, kScramKeySize>;

std::string_view view(const Digest& digest) noexcept {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// False only if the system has no memory.
bool hmac(std::string_view key, std::string_view text, Digest& out) noexcept {
  std::size_t size = 0;
  return EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, key.data(), key.size(),
                   reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(),
                   out.size(), &size) != nullptr &&
         size == out.size();
}

/// The key that a proof was made with, and then its hash, which is what the server knows.
bool stored_key_of(std::string_view proof, const Digest& signature, Digest& out) noexcept {
  Digest client_key;
  for (std::size_t i = 0; i < client_key.size(); ++i) {
    client_key[i] = static_cast<unsigned char>(static_cast<unsigned char>(proof[i]) ^ signature[i]);
  }
  std::size_t size = 0;
  const bool hashed = EVP_Q_digest(nullptr, "SHA256", nullptr, client_key.data(), client_key.size(),
                                   out.data(), &size) == 1;
  OPENSSL_cleanse(client_key.data(), client_key.size());
  return hashed && size == out.size();
}

ScramServer::Step failed(const ScramFault& fault) {
  return {ScramServer::Step::State::failed, make_server_error(fault.error), fault.text, false};
}

constexpr ScramFault kNoMemory{ScramError::no_resources, "there is no memory for SCRAM"};

}  // namespace

ScramServer::ScramServer(const PasswordFile& passwords, std::string_view secret, std::string nonce)
    : passwords_(&passwords), secret_(secret), nonce_(std::move(nonce)) {
  LINNET_ASSERT(secret_.size() >= 16);
  LINNET_ASSERT(nonce_.size() >= 18 && is_scram_nonce(nonce_));
}

ScramServer::Step ScramServer::next(std::string_view message) {
  switch (std::exchange(expects_, Expects::nothing)) {
    case Expects::client_first: return on_client_first(message);
    case Expects::client_final: return on_client_final(message);
    case Expects::nothing: break;
  }
  return failed({ScramError::other_error, "a SCRAM message came after the end of the exchange"});
}

ScramServer::Step ScramServer::on_client_first(std::string_view message) {
  auto first = parse_client_first(message);
  if (!first) return failed(first.error());
  if (!first->authzid.empty() && first->authzid != first->user_name) {
    return failed({ScramError::other_error,
                   "the client asks to act as another user (a=) than the one it logs in as"});
  }
  claimed_name_ = std::move(first->user_name);
  if (!find_keys()) return failed(kNoMemory);
  gs2_header_ = first->gs2_header;
  nonce_.insert(0, first->nonce);
  auto answer = make_server_first(nonce_, keys_ == nullptr ? decoy_ : *keys_);
  first_messages_ = cat(first->bare, ',', answer);
  expects_ = Expects::client_final;
  return {Step::State::go_on, std::move(answer), {}, false};
}

/// The decoy is made for everybody, so that users that there are take no less time. No password
/// leads to its key, and the flaw stands if one did.
bool ScramServer::find_keys() {
  const auto& shape = passwords_->scram_shape();
  Digest digest;
  if (!hmac(secret_, cat("key ", claimed_name_), digest)) return false;
  decoy_.stored_key = decoy_.server_key = view(digest);
  decoy_.iterations = shape.iterations;
  for (unsigned block = 0; decoy_.salt.size() < shape.salt_bytes; ++block) {
    if (!hmac(secret_, cat("salt ", block, ' ', claimed_name_), digest)) return false;
    decoy_.salt += view(digest).substr(0, shape.salt_bytes - decoy_.salt.size());
  }
  const auto* entry = passwords_->find(claimed_name_);
  keys_ = entry == nullptr ? nullptr : std::get_if<ScramKeys>(entry);
  if (keys_ == nullptr) flaw_ = entry == nullptr ? Flaw::no_such_user : Flaw::other_hash;
  return true;
}

ScramServer::Step ScramServer::on_client_final(std::string_view message) {
  const auto final = parse_client_final(message);
  if (!final) return failed(final.error());
  if (final->channel_binding != gs2_header_) {
    return failed({ScramError::channel_bindings_dont_match,
                   "the channel binding (c=) is not the beginning of the client's first message"});
  }
  if (final->nonce != nonce_) {
    return failed({ScramError::other_error, "the nonce (r=) is not the one of this exchange"});
  }
  const auto& keys = keys_ == nullptr ? decoy_ : *keys_;
  const auto auth_message = cat(first_messages_, ',', final->without_proof);
  Digest client_signature;
  Digest server_signature;
  Digest stored_key;
  if (!hmac(keys.stored_key, auth_message, client_signature) ||
      !hmac(keys.server_key, auth_message, server_signature) ||
      !stored_key_of(final->proof, client_signature, stored_key)) {
    return failed(kNoMemory);
  }
  const bool proven = equal_in_constant_time(view(stored_key), keys.stored_key);
  if (!proven || flaw_ != Flaw::none) return wrong_login();
  user_name_ = std::move(claimed_name_);
  return {Step::State::done, make_server_final(view(server_signature)), {}, false};
}

ScramServer::Step ScramServer::wrong_login() const {
  Step step{Step::State::failed, make_server_error(ScramError::invalid_proof), {}, true};
  switch (flaw_) {
    case Flaw::none:
      step.fault = cat("the password of user \"", claimed_name_, "\" is wrong");
      break;
    case Flaw::no_such_user:
      step.fault = cat("there is no user \"", claimed_name_, "\" in the password file");
      break;
    case Flaw::other_hash:
      step.fault = cat("the password file's entry of user \"", claimed_name_,
                       "\" is of a kind that SCRAM cannot use; write it anew with "
                       "`linnet passwd --kind scram`");
      break;
  }
  return step;
}

}  // namespace linnet::auth
