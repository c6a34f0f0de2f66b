#include "transports_arrivals.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sched.h>
#include <utility>

namespace linnet::bench {

namespace {

// It takes what the clients whose latency is measured leave over of their core.
void yield_to_everybody() {
  const sched_param none{};
  ::sched_setscheduler(0, SCHED_IDLE, &none);
}

// The same for all of them: it asks for as much work as any other.
std::string client_hello(SSL_CTX* context) {
  const SslHandle ssl(::SSL_new(context));
  BIO* sent = ::BIO_new(::BIO_s_mem());
  ::SSL_set_bio(ssl.get(), ::BIO_new(::BIO_s_mem()), sent);
  ::SSL_set_connect_state(ssl.get());
  (void)::SSL_do_handshake(ssl.get());
  char* bytes = nullptr;
  const auto size = ::BIO_get_mem_data(sent, &bytes);
  if (size <= 0) fail("no hello from OpenSSL");
  return {bytes, static_cast<std::size_t>(size)};
}

/// Whether it is done; if not, it waits for the broker.
bool is_done(SSL* ssl, int result, std::string_view what) {
  if (result == 1) return true;
  if (::SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ) return false;
  char text[256];
  ::ERR_error_string_n(::ERR_get_error(), text, sizeof text);
  fail(std::string(what) + " of an arriving client: " + text);
}

}  // namespace

Arrivals::Arrivals(Arrival kind, std::uint32_t port, std::uint32_t per_second)
    : kind_(kind),
      port_(port),
      per_second_(per_second),
      context_(client_context(Transport::tls13)),
      hello_(client_hello(context_.get())),
      clients_(kOpenMax) {
  for (std::size_t index = 0; index < kOpenMax; ++index)
    free_.push_back(index);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Arrivals::run(const std::stop_token& stop) {
  yield_to_everybody();
  const auto began = Clock::now();
  auto last_progress = began;
  while (!stop.stop_requested() || free_.size() < kOpenMax) {
    if (!stop.stop_requested()) start_due(Clock::now() - began);
    poll_.wait(kWait, [&](std::size_t index) {
      last_progress = Clock::now();
      on_readable(index);
    });
    if (free_.size() == kOpenMax) last_progress = Clock::now();
    if (Clock::now() - last_progress > kAnswerTimeout) fail("arriving clients get no answer");
    while (!stalled_.empty() && Clock::now() - stalled_.front().since > kStallTime)
      stalled_.pop_front();
  }
}

void Arrivals::start_due(std::chrono::duration<double> elapsed) {
  const auto due = static_cast<std::uint64_t>(elapsed.count() * per_second_);
  for (; started_ < due && !free_.empty(); ++started_) {
    if (kind_ == Arrival::half_open) {
      stall();
    } else {
      begin_handshake();
    }
  }
}

void Arrivals::stall() {
  auto socket = connect_to(port_);
  send_whole(socket, hello_);
  stalled_.push_back({.socket = std::move(socket), .since = Clock::now()});
  complete();
}

void Arrivals::begin_handshake() {
  const auto index = free_.back();
  free_.pop_back();
  auto& client = clients_[index];
  client.socket = connect_to(port_);
  client.ssl = tls_on(client.socket, context_.get());
  client.stage = Stage::shaking_hands;
  client.answer.clear();
  poll_.add(client.socket, index);
  on_readable(index);
}

void Arrivals::on_readable(std::size_t index) {
  auto& client = clients_[index];
  ::ERR_clear_error();
  if (client.stage == Stage::connecting) return read_answer(index);
  if (!is_done(client.ssl.get(), ::SSL_do_handshake(client.ssl.get()), "handshake")) return;
  client.stage = Stage::connecting;
  const auto connect = connect_packet("bench-arrival-" + std::to_string(index));
  const auto size = static_cast<int>(connect.size());
  if (::SSL_write(client.ssl.get(), connect.data(), size) != size) fail("no room for CONNECT");
}

void Arrivals::read_answer(std::size_t index) {
  auto& client = clients_[index];
  char bytes[64];
  const int got = ::SSL_read(client.ssl.get(), bytes, sizeof bytes);
  if (got <= 0) {
    (void)is_done(client.ssl.get(), got, "CONNECT");
    return;
  }
  client.answer.append(bytes, static_cast<std::size_t>(got));
  if (!kConnack.starts_with(client.answer)) fail("the broker refused an arriving client");
  if (client.answer.size() < kConnack.size()) return;
  client.ssl.reset();
  client.socket = Descriptor();
  free_.push_back(index);
  complete();
}

}  // namespace linnet::bench
