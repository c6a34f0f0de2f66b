#include "tls/authority_names.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <ifaddrs.h>
#include <memory>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"
#include "tls/authority.hpp"

namespace linnet::tls {
namespace {

constexpr std::size_t kFileNameBytesMax = 200;  // of the file system's 255, for the ending
constexpr std::size_t kDnsNameMax = 253;
constexpr std::size_t kDnsLabelMax = 63;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// C0, DEL, and C1 in UTF-8.
bool has_control_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return true;
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      return true;
    }
  }
  return false;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string quoted(std::string_view text) {
  return cat('"', log::escaped_text(text), '"');
}

std::string text_fault(std::string_view name) {
  if (name.empty()) return "the name is empty";
  if (!is_utf8(name)) return cat("the name ", quoted(name), " is not UTF-8");
  if (has_control_character(name)) {
    return cat("the name ", quoted(name), " has a control character in it");
  }
  return {};
}

bool is_address(std::string_view name) {
  std::array<unsigned char, 16> bytes{};
  const std::string text(name);
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kDnsLabelMax) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return std::all_of(label.begin(), label.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; });
}

bool is_dns_name(std::string_view name) {
  if (name.empty() || name.size() > kDnsNameMax) return false;
  const bool wildcard = name.starts_with("*.");
  if (wildcard) name.remove_prefix(2);
  std::string_view label;
  std::size_t labels = 0;
  for (bool more = true; more; ++labels) {
    const std::size_t dot = name.find('.');
    label = name.substr(0, dot);
    if (!is_label(label)) return false;
    more = dot != std::string_view::npos;
    if (more) name.remove_prefix(dot + 1);
  }
  // All digits: an address with a mistake in it. "*.example" would be all of a top-level domain.
  return !std::all_of(label.begin(), label.end(), is_digit) && (!wildcard || labels > 1);
}

std::string address_text(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address.sa_family == AF_INET) {
    bytes = &static_cast<const sockaddr_in*>(static_cast<const void*>(&address))->sin_addr;
  } else if (address.sa_family == AF_INET6) {
    const auto& in6 = *static_cast<const sockaddr_in6*>(static_cast<const void*>(&address));
    // Link-local addresses need a zone, which no certificate can name.
    if (in6.sin6_scope_id != 0) return {};
    bytes = &in6.sin6_addr;
  }
  if (bytes == nullptr) return {};
  const char* done = ::inet_ntop(address.sa_family, bytes, text.data(), text.size());
  return done != nullptr ? done : "";
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.data();
}

}  // namespace

std::string common_name_fault(std::string_view name) {
  if (std::string fault = text_fault(name); !fault.empty()) return fault;
  if (characters(name) > kCommonNameMax) {
    return cat("the name ", quoted(name), " has more than ", kCommonNameMax, " characters");
  }
  if (name.front() == ' ' || name.back() == ' ') {
    return cat("the name ", quoted(name), " begins or ends with a space");
  }
  return {};
}

std::string file_name_fault(std::string_view name) {
  if (std::string fault = common_name_fault(name); !fault.empty()) return fault;
  if (name.size() > kFileNameBytesMax) {
    return cat("the name ", quoted(name), " is too long for a file: at most ", kFileNameBytesMax,
               " bytes");
  }
  if (name.find('/') != std::string_view::npos || name.front() == '.') {
    return cat("the name ", quoted(name),
               " is also a file's name: it must have no / and not begin with a dot");
  }
  if (name == "ca") return "the name \"ca\" belongs to the authority's own files";
  return {};
}

std::string server_name_fault(std::string_view name) {
  if (std::string fault = text_fault(name); !fault.empty()) return fault;
  if (is_address(name) || is_dns_name(name)) return {};
  return cat(quoted(name), " is neither a DNS name nor an IP address: write broker.example, ",
             "*.home.example, 192.0.2.7 or 2001:db8::7, without scheme, port and brackets");
}

std::string psk_identity_fault(std::string_view identity) {
  if (std::string fault = text_fault(identity); !fault.empty()) return fault;
  if (identity.size() > kPskIdentityMax) {
    return cat("the identity ", quoted(identity), " has more than ", kPskIdentityMax, " bytes");
  }
  if (identity.find(':') != std::string_view::npos || identity.front() == '#' ||
      identity.front() == ' ' || identity.back() == ' ') {
    return cat("the identity ", quoted(identity),
               " must have no colon, not begin with # and have no space at its ends");
  }
  return {};
}

std::vector<std::string> names_of_this_machine() {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (names.size() < kServerNamesMax && server_name_fault(name).empty() &&
        std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  };
  const std::string host = host_name();
  const std::string first_label = host.substr(0, host.find('.'));
  if (first_label != "localhost") {
    add(host);
    add(first_label);
    if (!first_label.empty()) add(first_label + ".local");
  }
  for (const char* name : {"localhost", "127.0.0.1", "::1"})
    add(name);
  ifaddrs* found = nullptr;
  if (::getifaddrs(&found) != 0) return names;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> interfaces(found, &::freeifaddrs);
  for (const ifaddrs* i = found; i != nullptr; i = i->ifa_next) {
    if (i->ifa_addr != nullptr && (i->ifa_flags & IFF_UP) != 0) add(address_text(*i->ifa_addr));
  }
  return names;
}

std::string default_authority_name() {
  const std::string host = host_name();
  const std::string name = cat("Linnet CA of ", host.substr(0, host.find('.')));
  return !host.empty() && common_name_fault(name).empty() ? name : "Linnet CA";
}

}  // namespace linnet::tls
