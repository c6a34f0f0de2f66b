#include "store/durable_store.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/cat.hpp"

namespace linnet::store {

namespace {

/// What there must be room for before durable work is accepted again.
constexpr std::uint64_t kRoomBytes = 4 << 20;

std::string mebibytes(std::uint64_t bytes) {
  return cat(bytes >> 20, ".", ((bytes & ((1 << 20) - 1)) * 10) >> 20, " MiB");
}

WriterOptions writer_options(const DurableStoreOptions& options, const Database& database) {
  WriterOptions writer;
  writer.durability = options.durability;
  writer.interval = options.interval;
  writer.commit_bytes_max = options.commit_bytes_max;
  writer.intake = options.intake;
  writer.next_session = database.next_session();
  return writer;
}

}  // namespace

std::unique_ptr<DurableStore> DurableStore::open(DurableStoreOptions options, const Clock& clock,
                                                 AnswerSink& sink, Status& status,
                                                 std::string& error) {
  if (options.durability == Durability::none) options.database.environment.sync = false;
  auto database = Database::open(options.database, clock, status, error);
  if (!database) return nullptr;
  return std::make_unique<DurableStore>(options, std::move(database), clock, sink);
}

DurableStore::DurableStore(const DurableStoreOptions& options, std::unique_ptr<Database> database,
                           const Clock& clock, AnswerSink& sink)
    : database_(std::move(database)),
      next_session_(database_->next_session()),
      target_(*database_, options.database.environment.directory,
              options.database.environment.map_bytes),
      intake_(options.shards, options.intake, sink),
      writer_(writer_options(options, *database_), clock, intake_, target_, sink) {}

DurableStore::~DurableStore() = default;

bool DurableStore::run(FunctionRef<void(Database&)> job) {
  return writer_.run([&] { job(*database_); });
}

StoreFigures DurableStore::figures() const {
  StoreFigures figures;
  figures.retained_messages = database_->retained_messages();
  figures.retained_bytes = database_->retained_bytes();
  figures.taken_back = intake_.taken_back();
  writer_.report(figures);
  return figures;
}

DurableStore::Target::Target(Database& database, std::string directory, std::uint64_t map_bytes)
    : database_(database), directory_(std::move(directory)), map_bytes_(map_bytes) {}

Status DurableStore::Target::reopen(std::string& error) {
  const Status status = database_.reopen(error);
  reopen_error_ = status == Status::ok ? std::string() : error;
  return status;
}

Status DurableStore::Target::look_for_room() {
  if (!database_.is_open()) return Status::failed;
  return database_.environment().prepare_space(std::min(kRoomBytes, map_bytes_ / 8));
}

std::string DurableStore::Target::describe(Status status) {
  const std::string where = cat("the store in ", directory_);
  const std::string why = database_.is_open()
                              ? database_.environment().last_error()
                              : (reopen_error_.empty() ? "it is closed" : reopen_error_);
  if (status == Status::no_space) {
    const SpaceFigures space = database_.environment().space();
    std::error_code ignored;
    const auto disk = std::filesystem::space(directory_, ignored);
    return cat(where, " has no room (", why, "): it holds ",
               mebibytes(space.used_bytes - std::min(space.used_bytes, space.free_bytes)), " of ",
               mebibytes(space.map_bytes), ", and the disk has ",
               mebibytes(ignored ? 0 : disk.available), " free, of which it needs ",
               mebibytes(std::min(kRoomBytes, map_bytes_ / 8)),
               "; make room on the disk or raise store_size_max; durable work is refused until "
               "there is room");
  }
  if (status == Status::damaged) {
    return cat(where, " is damaged (", why,
               "): restart Linnet, which sets the damaged file aside and keeps what is whole in "
               "it; durable work is refused until then");
  }
  return cat(where, " can't be written (", why,
             "): look at the disk and the system's log; durable work is refused until it works");
}

}  // namespace linnet::store
