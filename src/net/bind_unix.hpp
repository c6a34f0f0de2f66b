// The part of bind_sockets() for Unix sockets.
#pragma once

#include <optional>

#include "net/bind.hpp"

namespace linnet::net {

/// Fills the copies and the file of `target`, whose URL has a path. Start-up and reload only.
[[nodiscard]] std::optional<BindError> bind_unix(const BindOptions& options, BoundSockets& target);

/// Gives each copy a descriptor of the same socket. An error number, or 0.
[[nodiscard]] int share_out(FileDescriptor socket, BoundSockets& target);

}  // namespace linnet::net
