// A closed store with something of everything in it, and ways to damage its file.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "database_fixture.hpp"
#include "store/examiner.hpp"
#include "store/inspect.hpp"
#include "store/lmdb_file.hpp"

namespace linnet::store {

class DamageTest : public DatabaseTest {
 protected:
  static constexpr SessionNumber kSessions = 60;
  static constexpr std::uint64_t kOwed = 30;  // of each session, half of them with a body elsewhere
  static constexpr std::uint64_t kRetained = 400;
  static constexpr std::size_t kPage = 4096;

  DamageTest() {
    make_sessions(kSessions);
    for (SessionNumber session = 1; session <= kSessions; ++session)
      fill_session(session);
    for (std::uint64_t i = 0; i < kOwed / 2; ++i)
      owe_to_all(i);
    fill_retained();
    // What is erased again leaves free pages behind.
    for (SessionNumber session = 1; session <= kSessions; session += 2) {
      EXPECT_EQ(erase(session, 1, 1), Status::ok);
      EXPECT_EQ(erase(session, 2, 2), Status::ok);
    }
    // The state before the last differs in nothing that a salvage could bring back.
    clock.now += 10;
    EXPECT_EQ(write(PutReceived{1, 18}), Status::ok);
    kept = read_all();
    db.reset();
  }

  void fill_session(SessionNumber session) {
    PutWill will;
    will.session = session;
    will.message = message("gone/" + std::to_string(session), "bye");
    PutSubscription subscription;
    subscription.session = session;
    subscription.filter = session % 7 == 0 ? std::string(600, 'f') : "a/+/#";
    Request all = request(will);
    all.changes.emplace_back(subscription);
    all.changes.emplace_back(PutReceived{session, 17});
    EXPECT_EQ(write({unit({std::move(all)})}), Status::ok);
    std::vector<Request> parts;
    for (std::uint64_t i = 1; i <= kOwed / 2; ++i) {
      const std::size_t size = i == 5 ? 9'000 : 40;
      const MessagePtr owed_message = message("own", std::string(size, 'x'));
      EXPECT_EQ(write({unit({request(owed_message, {owed(session, i, i <= 3 ? i : 0)})})}),
                Status::ok);
    }
    EXPECT_EQ(write(PutInflight{session, 3, 3, OutgoingState::released}), Status::ok);
  }

  void owe_to_all(std::uint64_t index) {
    Request all = request(message("shared", std::string(index == 3 ? 20'000 : 100, 's')), {});
    for (SessionNumber session = 1; session <= kSessions; ++session)
      all.outgoing.push_back(owed(session, 1'000 + index));
    EXPECT_EQ(write({unit({std::move(all)})}), Status::ok);
  }

  void fill_retained() {
    for (std::uint64_t i = 0; i < kRetained; ++i) {
      std::string topic = "house/" + std::to_string(i % 20) + "/" + std::to_string(i);
      if (i % 50 == 0) topic += std::string(600, 't');
      MessagePtr value = message(topic, std::string(i % 40 == 0 ? 12'000 : 120, 'r'),
                                 i % 10 == 0 ? clock.now + 1'000'000 : kNever);
      EXPECT_EQ(write(PutRetained{std::move(value)}), Status::ok);
    }
  }

  struct Contents {
    std::vector<std::string> sessions;  // "number client subscriptions messages bytes"
    std::vector<std::string> outgoing;  // "session sequence topic payload size"
    std::vector<std::string> retained;  // topics
  };

  Contents read_all() {
    Contents all;
    db->load_sessions([&](const StoredSession& session) {
      all.sessions.push_back(std::to_string(session.number) + " " + std::string(session.client_id));
      EXPECT_TRUE(
          db->read_outgoing(session.number, 0, UINT64_MAX, [&](const StoredOutgoing& outgoing) {
            all.outgoing.push_back(std::to_string(session.number) + " " +
                                   std::to_string(outgoing.sequence) + " " +
                                   std::string(outgoing.message.topic) + " " +
                                   std::to_string(outgoing.message.payload.size()));
            return true;
          }));
    });
    const auto visit = [&](const MessageView& view) {
      all.retained.emplace_back(view.topic);
      return true;
    };
    EXPECT_TRUE(db->read_retained({"#", "", SIZE_MAX}, visit).done);
    return all;
  }

  // Ways to damage the file; the store is closed.

  [[nodiscard]] std::string file() const { return directory.file(); }
  [[nodiscard]] std::uint64_t pages() const { return std::filesystem::file_size(file()) / kPage; }

  void overwrite(std::uint64_t at, std::size_t size, char filler) {
    std::fstream out(file(), std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(at));
    std::string bytes(size, filler);
    // Not one byte again and again: that would be too easy to see.
    if (filler != 0) {
      std::uint32_t state = static_cast<std::uint32_t>(at) + 1;
      for (char& byte : bytes) {
        state = state * 1'664'525 + 1'013'904'223;
        byte = static_cast<char>(state >> 24);
      }
    }
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(out.good());
  }
  void garble_page(PageNumber page) { overwrite(page * kPage, kPage, 1); }

  void flip_bit(std::uint64_t at) {
    std::fstream out(file(), std::ios::in | std::ios::out | std::ios::binary);
    out.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(out.get() ^ 4);
    out.seekp(static_cast<std::streamoff>(at));
    out.put(byte);
    ASSERT_TRUE(out.good());
  }

  /// Where these bytes are in the file for the last time; npos if they are not.
  std::size_t find_last(const std::string& bytes) {
    std::ifstream in(file(), std::ios::binary);
    const std::string all((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    return all.rfind(bytes);
  }

  /// The root page of a table in the newest state.
  LmdbTree tree_of(Table table) {
    std::string error;
    auto lmdb = LmdbFile::open(file(), error);
    EXPECT_TRUE(lmdb) << error;
    struct Ignore final : LmdbVisitor {
      bool record(std::string_view, std::string_view) override { return true; }
      void damage(PageNumber, const char*) override {}
    } ignore;
    LmdbTree result;
    const auto name = [&](std::string_view text, const LmdbTree& tree) {
      if (text == name_of(table)) result = tree;
    };
    EXPECT_TRUE(lmdb->walk_main(lmdb->snapshots().front().main, ignore, name));
    return result;
  }

  Contents kept;  // what was in the store when it was closed
};

}  // namespace linnet::store
