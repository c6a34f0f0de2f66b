// Results for the world's errors: a value, or why there is none. Asserts are for our own bugs.
#pragma once

#include <system_error>

#include <boost/system/result.hpp>

#include <linnet/types.hpp>

namespace linnet {

/// A value or a std::error_code of the operating system.
template <class T>
using Result = boost::system::result<T, std::error_code>;

/// What a client did against the protocol: the standard's reason code, and a sentence that says
/// what is wrong and how to mend it. The sentence is a literal, so the error is two words.
struct ProtocolError {
  ReasonCode reason = ReasonCode::malformed_packet;
  const char* text = "";
};

/// What was read from a client's bytes, or what was wrong with them.
template <class T>
using Decoded = boost::system::result<T, ProtocolError>;

}  // namespace linnet
