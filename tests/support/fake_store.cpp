#include "support/fake_store.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>

#include "base/cat.hpp"

namespace linnet::test {

namespace {

/// The tests' stores are small; the file is sparse.
constexpr std::uint64_t kMapBytes = std::uint64_t{256} << 20;

std::string_view name_of(store::OutgoingState state) {
  switch (state) {
    case store::OutgoingState::queued: return "queued";
    case store::OutgoingState::sent: return "sent";
    case store::OutgoingState::released: return "released";
  }
  return "?";
}

std::uint64_t packet_id_of(std::uint64_t number) {
  return number == 0 ? 0 : (number - 1) % 65'535 + 1;
}

store::DatabaseOptions database_options(const FakeStoreOptions& options,
                                        const std::string& directory) {
  store::DatabaseOptions made;
  made.environment.directory = directory;
  made.environment.map_bytes = kMapBytes;
  made.environment.sync = false;
  made.environment.ahead_bytes = 0;
  made.retained_messages_max = options.retained_messages_max;
  made.retained_bytes_max = options.retained_bytes_max;
  return made;
}

template <class Name>
struct Describe {
  Name name;

  std::string operator()(const store::PutSession& put) const {
    return cat("PutSession ", put.client_id, " expiry=", put.expiry_s,
               put.connected ? " connected" : " away");
  }
  std::string operator()(const store::EraseSession& erase) const {
    return cat("EraseSession ", name(erase.session));
  }
  std::string operator()(const store::PutWill& put) const {
    return cat("PutWill ", name(put.session), " ", put.message->topic());
  }
  std::string operator()(const store::EraseWill& erase) const {
    return cat("EraseWill ", name(erase.session));
  }
  std::string operator()(const store::PutSubscription& put) const {
    return cat("PutSubscription ", name(put.session), " ", put.filter);
  }
  std::string operator()(const store::EraseSubscription& erase) const {
    return cat("EraseSubscription ", name(erase.session), " ", erase.filter);
  }
  std::string operator()(const store::PutInflight& put) const {
    return cat("PutInflight ", name(put.session), " #", put.sequence, " ", test::name_of(put.state),
               " id=", packet_id_of(put.number));
  }
  std::string operator()(const store::PutReceived& put) const {
    return cat("PutReceived ", name(put.session), " id=", put.packet_id);
  }
  std::string operator()(const store::EraseReceived& erase) const {
    return cat("EraseReceived ", name(erase.session), " id=", erase.packet_id);
  }
  std::string operator()(const store::PutRetained& put) const {
    return cat("PutRetained ", put.message->topic(), " ", put.message->payload());
  }
};

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  const std::string parent =
      std::filesystem::exists("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path();
  path_ = parent + "/linnet-test-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "no directory in " << parent;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

FakeStore::FakeStore(const FakeStoreOptions& options, const std::string& directory,
                     const Clock& clock, store::AnswerSink& sink)
    : shards_(options.shards), sink_(sink), intake_(options.shards, {}, sink) {
  store::Status status{};
  std::string error;
  database_ = store::Database::open(database_options(options, directory), clock, status, error);
  if (!database_) throw std::runtime_error(error);
  next_session_ = database_->next_session();
}

const std::string& FakeStore::name_of(store::SessionNumber session) {
  return names_[session];
}

void FakeStore::describe(const store::Request& request) {
  for (const auto& change : request.changes) {
    if (const auto* put = std::get_if<store::PutSession>(&change)) {
      names_[put->session] = put->client_id;
    }
    const auto name = [this](store::SessionNumber session) { return name_of(session); };
    asked_.push_back(std::visit(Describe<decltype(name)>{name}, change));
  }
  for (const auto& put : request.outgoing) {
    asked_.push_back(cat("PutOutgoing ", name_of(put.session), " #", put.sequence, " ",
                         put.number == 0 ? "queued" : "sent", " id=", packet_id_of(put.number)));
  }
}

void FakeStore::submit(store::Request request) {
  describe(request);
  unended_ |= std::uint64_t{1} << request.shard;
  intake_.submit(std::move(request));
}

void FakeStore::submit(const store::Seal& seal) {
  unended_ |= std::uint64_t{1} << seal.shard;
  intake_.submit(seal);
}

void FakeStore::erase_outgoing(std::uint32_t shard, const store::EraseOutgoing& erase,
                               store::Place place) {
  asked_.push_back(cat("EraseOutgoing ", name_of(erase.session), " #", erase.sequence));
  unended_ |= std::uint64_t{1} << shard;
  intake_.erase_outgoing(shard, erase, place);
}

store::StoreFigures FakeStore::figures() const {
  store::StoreFigures figures;
  figures.retained_messages = database_->retained_messages();
  figures.retained_bytes = database_->retained_bytes();
  return figures;
}

void FakeStore::reorder(std::uint64_t seed) {
  reorders_ = true;
  random_.seed(seed);
}

void FakeStore::set_full(bool full) {
  full_ = full;
  if (!full) sink_.has_room_again();
}

void FakeStore::set_accepts(bool accepts) {
  accepts_ = accepts;
  if (accepts) sink_.has_room_again();
}

void FakeStore::set_readable(bool readable) {
  readable_ = readable;
  if (readable) sink_.has_room_again();
}

std::size_t FakeStore::count(std::string_view words) const {
  return static_cast<std::size_t>(
      std::count_if(asked_.begin(), asked_.end(),
                    [&](const std::string& one) { return one.starts_with(words); }));
}

/// The first unit of all, or of a shard that is drawn.
store::Batch FakeStore::take_one() {
  store::Intake::TakeLimits limits;
  limits.units_max = 1;
  if (!reorders_) return intake_.take(limits);
  const std::size_t first = random_() % shards_;
  for (std::uint32_t turn = 0; turn < shards_; ++turn) {
    limits.shard = static_cast<std::uint32_t>((first + turn) % shards_);
    store::Batch batch = intake_.take(limits);
    if (!batch.empty()) return batch;
  }
  return {};
}

bool FakeStore::step() {
  if (unended_ != 0 || (held_ && allowed_ == 0)) return false;
  store::Batch batch = take_one();
  if (batch.empty()) return false;
  if (held_ && !batch.units.empty()) --allowed_;
  for (store::Unit& unit : batch.units) {
    const bool asked = unit.ticket != 0 ||
                       std::any_of(unit.parts.begin(), unit.parts.end(),
                                   [](const store::Request& part) { return part.ticket != 0; });
    if (!asked || refusals_ == 0) continue;
    --refusals_;
    unit.outcome = store::Outcome::refused;
  }
  if (database_->write(batch) != store::Status::ok) ADD_FAILURE() << "the store can't write";
  store::answer(sink_, batch);
  return true;
}

}  // namespace linnet::test
