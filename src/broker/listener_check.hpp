// Whether a listener may be opened at all: its URL is one that is served, and nobody is let in from
// other machines by accident.
#pragma once

#include <optional>
#include <string>

#include <linnet/config.hpp>

namespace linnet {

/// One line that names what is wrong and the mend; nothing if the listener is fine.
[[nodiscard]] std::optional<std::string> listener_error(const ListenerConfig& listener);

}  // namespace linnet
