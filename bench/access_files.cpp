#include "access_files.hpp"

#include <array>
#include <fstream>
#include <openssl/evp.h>
#include <span>
#include <string_view>

#include "wire.hpp"

namespace linnet::bench {

const std::string kRightPassword = "the right one";

namespace {

constexpr auto kSalt = "twelve bytes"sv;  // Mosquitto takes no other length
constexpr std::size_t kHashBytes = 64;

std::string base64(std::string_view bytes) {
  std::vector<unsigned char> plain(bytes.begin(), bytes.end());
  std::vector<unsigned char> text(bytes.size() / 3 * 4 + 5);
  const int size = ::EVP_EncodeBlock(text.data(), plain.data(), static_cast<int>(plain.size()));
  return {text.begin(), text.begin() + size};
}

std::string entry_of(std::uint32_t iterations) {
  const std::vector<unsigned char> salt(kSalt.begin(), kSalt.end());
  std::array<unsigned char, kHashBytes> hash{};
  if (::PKCS5_PBKDF2_HMAC(kRightPassword.data(), static_cast<int>(kRightPassword.size()),
                          salt.data(), static_cast<int>(salt.size()), static_cast<int>(iterations),
                          ::EVP_sha512(), static_cast<int>(hash.size()), hash.data()) != 1) {
    fail("OpenSSL makes no hash");
  }
  return "$7$" + std::to_string(iterations) + "$" + base64(kSalt) + "$" +
         base64({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

std::string elsewhere(std::uint32_t number) {
  return "place/" + std::to_string(number) + "/#";
}

constexpr auto kTrafficTopics = "bench/line/#"sv;

void close_whole(std::ofstream& file, const std::string& path) {
  file.close();
  if (!file) fail("no " + path);
}

}  // namespace

void write_passwords(const std::string& path, const std::vector<std::string>& users,
                     std::uint32_t iterations) {
  const auto entry = entry_of(iterations);
  std::ofstream file(path);
  for (const auto& user : users)
    file << user << ':' << entry << '\n';
  close_whole(file, path);
}

void write_common_rules(const std::string& path, std::uint32_t rules) {
  std::ofstream file(path);
  for (std::uint32_t rule = 1; rule < rules; ++rule)
    file << "pattern readwrite " << elsewhere(rule) << '\n';
  file << "pattern readwrite " << kTrafficTopics << '\n';
  close_whole(file, path);
}

void write_rules_of_users(const std::string& path, const std::vector<std::string>& users,
                          std::uint32_t rules_each) {
  std::ofstream file(path);
  for (const auto& user : users) {
    file << "user " << user << '\n';
    for (std::uint32_t rule = 1; rule < rules_each; ++rule)
      file << "topic readwrite " << elsewhere(rule) << '\n';
    file << "topic readwrite " << kTrafficTopics << '\n';
  }
  close_whole(file, path);
}

}  // namespace linnet::bench
