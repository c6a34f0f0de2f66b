// Everything that may cross threads, on one page. A letter owns all that it carries: no pointer in
// it means anything to two threads. Letters between two shards stay in order.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "auth/login.hpp"
#include "base/counters.hpp"
#include "base/mailbox.hpp"
#include "base/message.hpp"
#include "net/link.hpp"
#include "router/share_group.hpp"
#include "session/login.hpp"
#include "session/peers.hpp"
#include "session/settings.hpp"
#include "shard/inquiry.hpp"
#include "shard/observer.hpp"
#include "shard/reload_progress.hpp"
#include "shard/roll_call.hpp"
#include "store/store.hpp"

namespace linnet::shard {

using router::ShardId;
using session::OperationId;

/// Whom to answer: an operation of another shard. 0: nobody waits.
struct ReturnAddress {
  ShardId shard = 0;
  OperationId operation = 0;
};

/// A shared group, by the name that the client gave it and its filter.
struct GroupName {
  std::string group;
  std::string filter;

  bool operator==(const GroupName&) const = default;
};

/// A link whose client belongs to the receiving shard, and has been let in; its CONNECT is in
/// `login`.
struct LinkLetter {
  std::unique_ptr<net::Link> link;
  std::unique_ptr<session::Login> login;
};

/// The worker has verified a login that the receiving shard asked about.
struct VerdictLetter {
  auth::LoginVerdict verdict;
};

/// The pressure on memory has changed: look.
struct PressureLetter {};

/// What else a shard's thread has to do at once when new settings come: its listeners are no matter
/// of the shard. A letter that is never read deletes it, by any thread.
class SettingsTask {
 public:
  virtual ~SettingsTask() = default;
  virtual void run() = 0;
};

/// What is used from now on.
struct SettingsLetter {
  session::SettingsPtr settings;
  ReloadProgressPtr progress;            // null: nobody waits
  std::unique_ptr<SettingsTask> task{};  // null: there is nothing else
};

/// A message for the receivers of one shard, and for its retained messages if it is their home.
struct PublishLetter {
  MessagePtr message;
  ReturnAddress reply;
  store::UnitId unit = 0;
  bool deliver = true;
  bool retain = false;
};

/// The answer to any letter with a return address.
struct AnswerLetter {
  OperationId operation = 0;
  ReasonCode reason = ReasonCode::success;
  std::uint32_t receivers = 0;
  std::uint32_t durable_parts = 0;
};

/// A filter has got its first subscriber in the sender, or lost its last one.
struct InterestLetter {
  enum class Change : std::uint8_t { add, remove, none };

  std::string filter;  // of no meaning without a change: then only the answer counts
  ShardId from = 0;
  Change change = Change::none;
  ReturnAddress reply;
};

/// What a new subscription has to know of retained messages that are not in the store yet.
struct OverlayQuestion {
  std::string filter;
  std::uint32_t replay = 0;
};
struct OverlayAnswer {
  std::uint32_t replay = 0;
  std::vector<MessagePtr> messages;
};
/// All questions of one SUBSCRIBE. Its answers come in an OverlayLetter, if there are any, in front
/// of the AnswerLetter.
struct OverlayRequestLetter {
  std::vector<OverlayQuestion> questions;
  ReturnAddress reply;
};
struct OverlayLetter {
  OperationId operation = 0;
  std::vector<OverlayAnswer> answers;
};

struct GroupJoinLetter {
  GroupName name;
  router::ShareMember member;
  ReturnAddress reply;
};
struct GroupLeaveLetter {
  GroupName name;
  std::string client_id;
};
struct GroupUpdateLetter {
  GroupName name;
  std::string client_id;
  bool connected = false;
  bool kept = false;
};
/// The group has chosen a member of the receiving shard.
struct GroupDeliverLetter {
  GroupName name;
  std::string client_id;
  MessagePtr message;
  ReturnAddress reply;
  store::UnitId unit = 0;
  /// Another member's kept session has it, and keeps it until this one does.
  bool offered = false;
};
/// A member could not deliver this message: another one is to be chosen.
struct GroupBackLetter {
  GroupName name;
  std::string client_id;  // the member
  MessagePtr message;
  ReturnAddress reply;
  store::UnitId unit = 0;
  bool offered = false;  // as in GroupDeliverLetter
};
struct GroupAcknowledgedLetter {
  GroupName name;
  std::string client_id;
};

/// The store's writer answers.
struct StoreLetter {
  std::vector<store::Answer> answers;
};

/// The sender's mailbox has room again, or the store has.
struct RoomLetter {};

struct CountersRequestLetter {
  ShardId from = 0;
};
struct CountersLetter {
  Counters counters;
};

/// Answered at once, with what the shard counts.
struct RollCallLetter {
  RollCallPtr call;
};

/// What an administrator asks; see there.
struct InquiryLetter {
  InquiryPtr inquiry;
};

/// Somebody begins to look at what happens to messages, or ends it.
struct ObserverLetter {
  ObserverPtr observer;
  bool looks = true;
};

/// The broker stops: reads no more, publishes undelayed Wills.
struct StopLetter {};
/// The sender has published its Wills: nothing more comes from it.
struct StoppedLetter {
  ShardId from = 0;
};

using Letter =
    std::variant<PublishLetter, AnswerLetter, StoreLetter, InterestLetter, OverlayRequestLetter,
                 OverlayLetter, LinkLetter, GroupJoinLetter, GroupLeaveLetter, GroupUpdateLetter,
                 GroupDeliverLetter, GroupBackLetter, GroupAcknowledgedLetter, RoomLetter,
                 VerdictLetter, SettingsLetter, PressureLetter, CountersRequestLetter,
                 CountersLetter, RollCallLetter, InquiryLetter, ObserverLetter, StopLetter,
                 StoppedLetter>;

using ShardMailbox = Mailbox<Letter>;

}  // namespace linnet::shard
