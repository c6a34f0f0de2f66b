// Where a broker keeps what must survive: the data directory and the store in it, opened as the
// configuration says, and closed in order.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "control/control.hpp"
#include "store/data_dir.hpp"
#include "store/durable_store.hpp"
#include <linnet/config.hpp>

namespace linnet {

class Storage {
 public:
  /// Null if it can't be opened; `error` then holds one line that names what is at fault and the
  /// mend. `sink` must outlive it. Logs where the data is.
  [[nodiscard]] static std::unique_ptr<Storage> open(const Config& config, std::uint32_t shards,
                                                     store::AnswerSink& sink, std::string& error);
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  /// Writes all that was submitted. The shards must be gone.
  ~Storage();

  /// Begins to write, and opens the control socket, to which `add_commands` adds those that have
  /// nothing to do with the store.
  void start(const std::function<void(control::Control&)>& add_commands);
  [[nodiscard]] store::DurableStore& store() noexcept { return *store_; }
  [[nodiscard]] const std::string& directory() const noexcept { return directory_.path(); }
  [[nodiscard]] bool persistent() const noexcept { return !directory_.temporary(); }

 private:
  explicit Storage(store::DataDir directory) : directory_(std::move(directory)) {}

  SystemClock clock_;
  store::DataDir directory_;
  const store::Database* database_ = nullptr;  // of the store
  std::unique_ptr<store::DurableStore> store_;
  std::unique_ptr<control::Control> control_;
};

}  // namespace linnet
