// What a TLS listener shows and demands: certificates, authorities, pre-shared keys, versions.
// Shared by all shards; any thread. A change of its files takes effect for new connections by
// reload(), and those that are open keep what they have.
#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "net/channel.hpp"
#include <linnet/config.hpp>

namespace linnet::tls {

/// Which protocols ALPN offers.
enum class Offer : std::uint8_t { mqtt, http, both };
/// What the client has chosen by ALPN.
enum class Chosen : std::uint8_t { nothing, mqtt, http };

/// A certificate that a listener shows.
struct CertificateFacts {
  std::string file;
  std::string name;           // its first SAN, else its subject
  std::time_t not_after = 0;  // UTC
};

/// A link's TLS. See net/channel.hpp.
class ServerChannel : public net::Channel {
 public:
  /// Of a meaning once bytes have been read.
  [[nodiscard]] virtual Chosen chosen() const noexcept = 0;
};

class ServerContext {
 public:
  /// Reads all files. Null if something is wrong with them; `error` then names the key or the file,
  /// what is wrong (with its date, if it is a date), and the mend.
  [[nodiscard]] static std::unique_ptr<ServerContext> open(const TlsConfig& config, Offer offer,
                                                           std::string& error);
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;
  ~ServerContext();

  /// Reads all files again. False, with `error`, if something is wrong: then nothing has changed.
  [[nodiscard]] bool reload(std::string& error);
  /// The same in two steps, where several contexts change together or not at all: what prepare()
  /// has read waits for commit(), or is forgotten. By one thread at a time.
  [[nodiscard]] bool prepare(std::string& error);
  void commit() noexcept;
  void forget() noexcept;

  /// The TLS of a connection that has just been accepted (and whose first bytes may have been
  /// peeked at, but not read). Null if there is no memory. The context must outlive it.
  [[nodiscard]] std::unique_ptr<ServerChannel> accept(int socket) const;

  [[nodiscard]] std::vector<CertificateFacts> certificates() const;
  /// A sentence each: certificates, authorities and revocation lists that end within 30 days of
  /// `now` or have a date that can't be true yet; an OCSP response that has ended; keys that
  /// everybody can read or guess; versions that are broken.
  [[nodiscard]] std::vector<std::string> warnings(std::time_t now) const;

 private:
  struct Impl;
  explicit ServerContext(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::tls
