// The first bytes of a connection, where they are not what its listener's URL says by itself: a
// PROXY header, and then on `any` the protocol that the client's first byte tells (again within
// TLS). Bytes that are not its own are peeked at and left in the socket, so that what takes its
// place finds them there.
#pragma once

#include <string>

#include "net/proxy_header.hpp"
#include "transport/entrance.hpp"

namespace linnet::transport {

class Opening final : public net::Channel {
 public:
  /// The entrance outlives it.
  Opening(const Entrance& entrance, const net::Endpoint& peer) noexcept;

  [[nodiscard]] net::ReadResult read(int socket, std::span<char> room) override;
  [[nodiscard]] net::WriteResult write(int socket, std::span<const iovec> parts) override;
  [[nodiscard]] net::WriteResult end(int socket) override;
  [[nodiscard]] bool has_more() const noexcept override;
  [[nodiscard]] bool wants_write() const noexcept override;
  [[nodiscard]] bool is_opening() const noexcept override;
  [[nodiscard]] Successor take_successor() override;
  [[nodiscard]] std::string fault() const override;
  [[nodiscard]] const net::Endpoint* told_endpoint() const noexcept override;

 private:
  enum class Stage : std::uint8_t {
    proxy,   // the PROXY header is awaited
    socket,  // the first byte on the socket tells what follows
    tls,     // the first byte within TLS does
    done,    // `next_` takes this channel's place
  };

  [[nodiscard]] net::ReadResult read_proxy(int socket, std::span<char> room);
  [[nodiscard]] net::ReadResult read_first(int socket);
  [[nodiscard]] net::ReadResult read_tls(int socket, std::span<char> room);
  [[nodiscard]] net::ReadResult take_header(net::ProxyHeader header, int socket);
  [[nodiscard]] net::ReadResult open_listed(int socket);
  [[nodiscard]] net::ReadResult become(std::unique_ptr<net::Channel> next);
  [[nodiscard]] net::ReadResult become_web(std::unique_ptr<net::Channel> below,
                                           std::string_view known);
  [[nodiscard]] net::ReadResult refuse(std::string fault);
  [[nodiscard]] std::unique_ptr<net::Channel> plain();

  const Entrance& entrance_;
  std::unique_ptr<tls::ServerChannel> tls_;
  std::unique_ptr<net::Channel> next_;
  std::string header_;  // what has come of the PROXY header
  std::string fault_;
  std::string proxied_name_;
  net::Endpoint peer_;
  Stage stage_;
  bool told_ = false;  // peer_ is what the proxy says
};

}  // namespace linnet::transport
