// What the three commands share: a connection, the loop, and how it all ends. Private to this room.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "client/client.hpp"
#include "pubsub/options.hpp"
#include "pubsub/output.hpp"

namespace linnet::pubsub {

class Worker : public client::ClientUser {
 public:
  explicit Worker(const Settings& settings);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Connects, works until the end, and returns the exit code.
  [[nodiscard]] int run();

  void on_lost(const std::string& why, std::uint64_t wait_ns) override;
  void on_turn() override;
  void on_packet(client::Direction direction, mqtt::PacketType type, std::size_t size) override;
  void on_subscribed(std::span<const client::Subscription> subscriptions,
                     std::span<const client::Outcome> outcomes) override;
  void on_unsubscribed(std::span<const std::string> filters,
                       std::span<const client::Outcome> outcomes) override;

 protected:
  ~Worker() = default;
  /// Before the connection is begun. False: it has complained.
  [[nodiscard]] virtual bool prepare() { return true; }
  /// From work(): there is more to send as soon as the session wants it.
  static constexpr std::uint64_t kWhenThereIsRoom = 0;
  /// In each turn; returns when it wants another one, at the latest.
  [[nodiscard]] virtual std::uint64_t work() { return ~std::uint64_t{0}; }
  /// All subscriptions are answered, and one at least was granted.
  virtual void on_ready() {}

  [[nodiscard]] const Settings& settings() const noexcept { return settings_; }
  [[nodiscard]] client::Loop& loop() noexcept { return loop_; }
  [[nodiscard]] client::Session& session() noexcept { return client_->session(); }
  [[nodiscard]] Output& output() noexcept { return output_; }
  /// Ends the connection in order, and then the command, with this exit code. The first one stands.
  void finish(int exit_code);
  void say(const std::string& text) const;  // unless --quiet

 private:
  enum class Round : std::uint8_t { over, older_version };
  [[nodiscard]] Round serve(client::Target& target, const client::ClientOptions& options);
  [[nodiscard]] bool mind_interrupts();
  void mind_time(std::uint64_t until_ns);
  [[nodiscard]] int exit_code() const;

  const Settings& settings_;
  client::Loop loop_;
  std::unique_ptr<client::Client> client_;
  Output output_;
  std::uint64_t timeout_at_ns_ = ~std::uint64_t{0};
  std::optional<int> exit_code_;
  int interrupts_ = 0;
};

}  // namespace linnet::pubsub
