// The commands that concern the store: store.stats, store.check, store.compact and store.backup
// (with a "directory"). The same functions serve a broker that runs, through its control socket,
// and the program that opens a stopped broker's store itself.
#pragma once

#include <functional>
#include <string>

#include <boost/json/fwd.hpp>

#include "base/function_ref.hpp"
#include "control/control.hpp"
#include "store/database.hpp"
#include "store/inspect.hpp"
#include "store/store.hpp"

namespace linnet::control {

/// How the commands reach a store. What it names must outlive it.
struct StoreDoor {
  std::string directory;
  const store::Database* database = nullptr;
  /// Calls the function on the thread that writes the store, and waits for it. False, and not
  /// called, if the store can't be used now.
  std::function<bool(FunctionRef<void(store::Database&)>)> run;
  /// Of a broker that runs; empty: the store is stopped.
  std::function<store::StoreFigures()> figures;
};

// Each fills in the answer, and returns the error; empty: there is none.
[[nodiscard]] std::string store_stats(const StoreDoor& door, boost::json::object& reply);
[[nodiscard]] std::string store_check(const StoreDoor& door, boost::json::object& reply);
[[nodiscard]] std::string store_compact(const StoreDoor& door, boost::json::object& reply);
[[nodiscard]] std::string store_backup(const StoreDoor& door, const std::string& directory,
                                       boost::json::object& reply);

/// What a check has found, as store_check() answers.
void fill_check(const store::Inspection& inspection, boost::json::object& reply);

/// Before Control::start().
void add_store_commands(Control& control, const StoreDoor& door);

}  // namespace linnet::control
