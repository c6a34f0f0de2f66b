// A question to all shards, from the control socket's thread: it is put, waited for with a time
// limit, and given up when it is forgotten.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/json/fwd.hpp>

#include "control/conversation.hpp"
#include "shard/post_office.hpp"

namespace linnet::control {

class Asked {
 public:
  static constexpr std::uint64_t kPatience_ms = 3'000;

  /// `patience_ms` from now on.
  Asked(shard::PostOffice& post, shard::Question question, Waker& waker,
        std::uint64_t patience_ms = kPatience_ms);
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;
  ~Asked() { inquiry_->leave(); }

  enum class State : std::uint8_t { waits, answered, late };
  /// Unless it waits, `findings` are all that there is, and the question is over.
  [[nodiscard]] State look(shard::Findings& findings);
  [[nodiscard]] std::uint64_t due_ms() const noexcept { return due_ms_; }

 private:
  shard::InquiryPtr inquiry_;
  std::uint64_t due_ms_;
  bool over_ = false;
};

/// The usual conversation: one question, one line that answers it.
class OneAnswer final : public Conversation {
 public:
  /// Fills in the answer and returns the error, as a Handler.
  using Fill = std::function<std::string(shard::Findings& findings, boost::json::object& reply)>;

  OneAnswer(shard::PostOffice& post, shard::Question question, Waker& waker, Fill fill)
      : asked_(post, std::move(question), waker), fill_(std::move(fill)) {}

  [[nodiscard]] bool speak(std::string& output) override;
  [[nodiscard]] std::uint64_t due_ms() const override { return asked_.due_ms(); }

 private:
  Asked asked_;
  Fill fill_;
};

/// What is said where some threads have not answered in time.
inline constexpr const char* kLate =
    "some threads of the broker have not answered within 3 s: they are very busy, or stand still";

}  // namespace linnet::control
