// Which names a certificate or a pre-shared key may have. Pure, but for names_of_this_machine().
#pragma once

#include <string>
#include <string_view>

namespace linnet::tls {

/// What is wrong with a common name; empty: nothing.
[[nodiscard]] std::string common_name_fault(std::string_view name);

/// The same for a name that is a file's name, too.
[[nodiscard]] std::string file_name_fault(std::string_view name);

/// The same for a server: a DNS name, with * as its first label at most, or an IP address.
[[nodiscard]] std::string server_name_fault(std::string_view name);

/// The same for the identity of a pre-shared key.
[[nodiscard]] std::string psk_identity_fault(std::string_view identity);

}  // namespace linnet::tls
