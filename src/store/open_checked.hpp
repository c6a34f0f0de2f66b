// Opens the store of a data directory, whatever a crash or a bad disk has left of it: a store that
// was not closed in order is inspected first; a damaged one is set aside under a new name, and what
// is whole in it is taken over into a new one. Says so loudly in the log. At start, one thread.
#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "store/database.hpp"
#include "store/inspect.hpp"

namespace linnet::store {

/// `clean`: the last user closed the store in order, see DataDir::clean(). `clock` must outlive the
/// result. Null if there is no way to have a store there; `error` then holds one line that names
/// the file and the mend.
[[nodiscard]] std::unique_ptr<Database> open_checked(const DatabaseOptions& options, bool clean,
                                                     const Clock& clock, std::string& error);

}  // namespace linnet::store
