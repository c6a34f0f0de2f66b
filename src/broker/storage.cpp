#include "broker/storage.hpp"

#include <algorithm>
#include <utility>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "base/to_size.hpp"
#include "control/store_commands.hpp"
#include "store/open_checked.hpp"

namespace linnet {

namespace {

store::DurableStoreOptions store_options(const Config& config, const store::DataDir& directory,
                                         std::uint32_t shards) {
  const Limits& limits = config.limits;
  store::DurableStoreOptions options;
  options.durability = directory.temporary() ? Durability::none : config.durability;
  options.interval = config.durability_interval;
  options.database.environment.directory = directory.path();
  options.database.environment.map_bytes = limits.store_size_max;
  options.database.environment.sync = options.durability != Durability::none;
  if (directory.temporary()) options.database.environment.ahead_bytes = 0;
  options.database.retained_messages_max = limits.retained_messages_max;
  options.database.retained_bytes_max = limits.retained_bytes_max;
  options.intake.requests_max = limits.store_queue_messages_max;
  // With little memory, less waits for the writer. 0: nobody has said how much there is.
  constexpr std::uint64_t kQueuePart = 16;
  constexpr std::uint64_t kCommitPart = 32;
  const std::uint64_t memory = config.memory_max == 0 ? UINT64_MAX : config.memory_max;
  options.intake.bytes_max = to_size(std::min(limits.store_queue_bytes_max, memory / kQueuePart));
  options.commit_bytes_max = to_size(std::min(limits.commit_bytes_max, memory / kCommitPart));
  options.shards = shards;
  return options;
}

void tell(const Config& config, const store::DataDir& directory) {
  if (directory.temporary()) {
    log::warn("store", cat("persistence = false: sessions and retained messages end with this "
                           "process; until then they are in ",
                           directory.path()));
    return;
  }
  log::info("store", cat("the data is in ", directory.path()));
  if (config.durability == Durability::interval) {
    log::warn("store", cat("durability = \"interval\": what was acknowledged in the last ",
                           config.durability_interval.count(),
                           " ms can be lost if the process or the "
                           "power fails"));
  } else if (config.durability == Durability::none) {
    log::warn("store",
              "durability = \"none\": what was acknowledged can be lost if the power fails, and "
              "the store with it");
  }
}

}  // namespace

std::unique_ptr<Storage> Storage::open(const Config& config, std::uint32_t shards,
                                       store::AnswerSink& sink, std::string& error) {
  store::DataDirProblem problem;
  auto directory = config.persistence
                       ? store::DataDir::open(config.data_dir, store::DataDir::Use::serve, problem)
                       : store::DataDir::make_temporary(problem);
  if (!directory) {
    error = std::move(problem.text);
    return nullptr;
  }
  tell(config, *directory);
  std::unique_ptr<Storage> storage(new Storage(std::move(*directory)));
  const auto options = store_options(config, storage->directory_, shards);
  auto database =
      store::open_checked(options.database, storage->directory_.clean(), storage->clock_, error);
  if (!database) return nullptr;
  if (storage->directory_.temporary()) storage->directory_.unlink_files();
  storage->database_ = database.get();
  storage->store_ =
      std::make_unique<store::DurableStore>(options, std::move(database), storage->clock_, sink);
  return storage;
}

void Storage::start(const std::function<void(control::Control&)>& add_commands) {
  store_->start();
  if (directory_.temporary()) return;
  std::string error;
  control_ = control::Control::open(directory_.path(), error);
  if (!control_) return log::warn("control", error);
  control::add_store_commands(
      *control_, {directory_.path(), database_, [this](auto job) { return store_->run(job); },
                  [this] { return store_->figures(); }});
  add_commands(*control_);
  control_->start();
}

Storage::~Storage() {
  control_.reset();  // before the store: its thread may use it
  if (!store_) return;
  store_->stop();
  // What could not be used is looked at from end to end by the next start.
  const bool sound = store_->figures().alarm.empty() && database_->damaged_records() == 0;
  store_.reset();
  if (!directory_.temporary() && sound && !directory_.close_in_order()) {
    log::warn("store", cat("the end could not be noted in ", directory_.path(),
                           "; the next start checks the store"));
  }
}

}  // namespace linnet
