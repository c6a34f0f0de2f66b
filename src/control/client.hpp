// The other end of the control socket: one request to a broker that runs. Blocks. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <boost/json/fwd.hpp>

#include "net/file_descriptor.hpp"

namespace linnet::control {

/// Asks the broker that holds `directory`. True if it has done what was asked; `reply` is its whole
/// answer, without "ok". Otherwise `error` says why not, in one line. Waits as long as it takes.
[[nodiscard]] bool ask(const std::string& directory, const boost::json::object& request,
                       boost::json::object& reply, std::string& error);

/// A conversation of many lines: what was asked goes on until either side ends it.
class Call {
 public:
  /// Null if nobody is there; `error` says why.
  [[nodiscard]] static std::unique_ptr<Call> open(const std::string& directory, std::string& error);

  [[nodiscard]] bool ask(const boost::json::object& request, std::string& error);
  /// The next line, waiting for it. False at the end; `error` is then not empty if the broker had
  /// one to tell, or went away.
  [[nodiscard]] bool hear(boost::json::object& line, std::string& error);
  /// The same of what is here, for those who wait with poll(2): true if `line` was filled in.
  enum class Heard : std::uint8_t { line, nothing, end };
  [[nodiscard]] Heard hear_now(boost::json::object& line, std::string& error);
  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }

 private:
  Call(net::FileDescriptor socket, std::string path)
      : socket_(std::move(socket)), path_(std::move(path)) {}
  [[nodiscard]] bool take_line(boost::json::object& line, std::string& error, bool& ended);

  net::FileDescriptor socket_;
  const std::string path_;
  std::string input_;
};

}  // namespace linnet::control
