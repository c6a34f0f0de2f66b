// What a connection needs until its client has been let in and has joined its session. It travels
// with the link to the client's home shard.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "auth/gate.hpp"
#include "auth/scram.hpp"

namespace linnet::session {

struct Login {
  Login() = default;
  Login(const Login&) = delete;
  Login& operator=(const Login&) = delete;
  ~Login() { auth::wipe(connect); }  // there is a password in it

  std::string connect;      // the CONNECT packet, once it has been taken from the link
  std::string assigned_id;  // the client identifier, where the client has sent none
  auth::Gate::Ticket ticket = 0;
  std::unique_ptr<auth::Identity> identity;  // null: anonymous
  bool admitted = false;

  // Enhanced authentication (MQTT 5.0, section 4.12)
  auth::PolicyPtr policy;  // whose users are asked
  std::optional<auth::ScramServer> scram;
  std::string last_data;  // of the server's last step: goes with CONNACK
};

}  // namespace linnet::session
