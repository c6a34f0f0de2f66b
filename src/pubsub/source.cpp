#include "pubsub/source.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "base/cat.hpp"
#include "net/file_descriptor.hpp"

namespace linnet::pubsub {

namespace {

constexpr std::size_t kChunk = 64 << 10;

std::string system_text() {
  return std::generic_category().message(errno);
}

std::string too_large(std::string_view name, std::size_t size_max) {
  return cat(name, ": a message has at most ", size_max, " bytes, and this is more");
}

/// Like read(), but it begins again after a signal.
ssize_t read_some(int descriptor, std::string& out) {
  const std::size_t before = out.size();
  out.resize(before + kChunk);
  ssize_t count = -1;
  do {
    count = ::read(descriptor, out.data() + before, kChunk);
  } while (count < 0 && errno == EINTR);
  out.resize(before + (count > 0 ? static_cast<std::size_t>(count) : 0));
  return count;
}

/// The same message, as often as it is wanted.
class Repeated final : public Source {
 public:
  Repeated(std::string payload, const Settings& settings)
      : payload_(std::move(payload)), left_(settings.repeat), delay_ns_(settings.repeat_delay_ns) {}

  State next(std::string& payload) override {
    if (left_ == 0) return State::end;
    if (delay_ns_ > 0 && (is_out_ || client::now_ns() < due_ns_)) return State::wait;
    --left_;
    is_out_ = true;
    payload = left_ == 0 ? std::move(payload_) : payload_;
    return State::message;
  }
  void note_answered(std::uint64_t now_ns) override {
    is_out_ = false;
    due_ns_ = now_ns + delay_ns_;
  }
  std::uint64_t wait_until() const noexcept override {
    return left_ > 0 && delay_ns_ > 0 && !is_out_ ? due_ns_ : Source::wait_until();
  }

 private:
  std::string payload_;
  std::uint64_t left_;
  std::uint64_t delay_ns_;
  std::uint64_t due_ns_ = 0;
  bool is_out_ = false;
};

/// Each line of standard input is a message. A pipe is watched by the loop; a plain file needs not
/// be waited for.
class Lines final : public Source, private client::Ready {
 public:
  explicit Lines(client::Loop& loop) : loop_(loop) {
    struct stat facts {};
    is_file_ = ::fstat(STDIN_FILENO, &facts) == 0 && S_ISREG(facts.st_mode);
  }
  ~Lines() override { rest(); }

  State next(std::string& payload) override {
    for (;;) {
      const auto end = buffer_.find('\n', searched_);
      if (end != std::string::npos) {
        payload.assign(buffer_, at_, end - at_);
        at_ = searched_ = end + 1;
        return State::message;
      }
      searched_ = buffer_.size();
      if (has_ended_) return last(payload);
      if (buffer_.size() - at_ > kPayloadMax) {
        fault_ = too_large("standard input", kPayloadMax);
        return State::failed;
      }
      if (!is_file_ && !is_ready_) {
        watch();
        return State::wait;
      }
      if (!read_more()) return State::failed;
    }
  }
  void rest() override {
    if (is_watched_) loop_.remove(STDIN_FILENO);
    is_watched_ = false;
  }
  std::string fault() const override { return fault_; }

 private:
  void on_ready(std::uint32_t /*events*/) override { is_ready_ = true; }
  void watch() {
    if (!is_watched_) loop_.add(STDIN_FILENO, EPOLLIN, *this);
    is_watched_ = true;
  }
  /// What is behind the last end of a line.
  State last(std::string& payload) {
    rest();
    if (at_ == buffer_.size()) return State::end;
    payload.assign(buffer_, at_);
    at_ = buffer_.size();
    return State::message;
  }
  bool read_more() {
    buffer_.erase(0, at_);
    searched_ -= at_;
    at_ = 0;
    is_ready_ = false;
    const ssize_t count = read_some(STDIN_FILENO, buffer_);
    has_ended_ = count == 0;
    if (count >= 0 || errno == EAGAIN) return true;
    fault_ = cat("standard input: ", system_text());
    return false;
  }

  client::Loop& loop_;
  bool is_file_ = false;
  bool is_watched_ = false;
  bool is_ready_ = false;
  bool has_ended_ = false;
  std::string buffer_;
  std::size_t at_ = 0;        // the first byte that no message has taken
  std::size_t searched_ = 0;  // up to where there is no end of a line
  std::string fault_;
};

}  // namespace

std::optional<std::string> read_payload(const std::string& path, std::size_t size_max,
                                        std::string& error) {
  const bool is_input = path.empty() || path == "-";
  const std::string name = is_input ? "standard input" : path;
  net::FileDescriptor file;
  if (!is_input) file = net::FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const int descriptor = is_input ? STDIN_FILENO : file.get();
  struct stat facts {};
  if (descriptor < 0 || ::fstat(descriptor, &facts) != 0) {
    error = cat(name, " cannot be read: ", system_text());
    return std::nullopt;
  }
  if (S_ISREG(facts.st_mode) && static_cast<std::uint64_t>(facts.st_size) > size_max) {
    error = too_large(name, size_max);
    return std::nullopt;
  }
  std::string payload;
  ssize_t count = 0;
  while (payload.size() <= size_max && (count = read_some(descriptor, payload)) > 0)
    continue;
  if (count < 0) {
    error = cat(name, " cannot be read: ", system_text());
    return std::nullopt;
  }
  if (payload.size() <= size_max) return payload;
  error = too_large(name, size_max);
  return std::nullopt;
}

std::unique_ptr<Source> Source::open(const Settings& settings, client::Loop& loop,
                                     std::string& error) {
  std::string payload = settings.message.payload;
  switch (settings.input) {
    case Input::lines: return std::make_unique<Lines>(loop);
    case Input::text: break;
    case Input::file:
    case Input::whole_input: {
      auto read = read_payload(settings.file, kPayloadMax, error);
      if (!read) return nullptr;
      payload = std::move(*read);
    }
  }
  return std::make_unique<Repeated>(std::move(payload), settings);
}

}  // namespace linnet::pubsub
