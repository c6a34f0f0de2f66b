#include "auth/login.hpp"

namespace linnet::auth {

namespace {

LoginVerdict verify_password(const LoginJob& job) {
  using Outcome = LoginVerdict::Outcome;
  const PasswordFile& passwords = *job.policy->passwords();
  const PasswordHash* hash = passwords.find(job.user_name);
  if (hash == nullptr) {
    passwords.verify_nobody(job.password.view());
    return {job.ticket, Outcome::ignored, {}, "there is no such user"};
  }
  if (!verify(*hash, job.password.view())) {
    return {job.ticket, Outcome::rejected, {}, "the password is wrong"};
  }
  return {job.ticket, Outcome::accepted, {job.user_name, nullptr, Method::password}, {}};
}

LoginVerdict verify_token(const LoginJob& job) {
  using Outcome = LoginVerdict::Outcome;
  TokenVerdict verdict = job.policy->jwt()->verify(job.password.view(), job.user_name, job.now_s);
  if (!verdict.valid) return {job.ticket, Outcome::rejected, {}, std::move(verdict.fault)};
  verdict.identity.method = Method::jwt;
  return {job.ticket, Outcome::accepted, std::move(verdict.identity), {}};
}

}  // namespace

LoginVerdict verify(const LoginJob& job) {
  return job.method == Method::jwt ? verify_token(job) : verify_password(job);
}

}  // namespace linnet::auth
