#include "base/crc32c.hpp"

#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace linnet {

namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // with its bits reversed
constexpr std::size_t kSlices = 8;

using Tables = std::array<std::array<std::uint32_t, 256>, kSlices>;

// kTables[s][b]: what the byte b does to the checksum when s more bytes come behind it.
constexpr Tables make_tables() noexcept {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    }
    tables[0][byte] = crc;
  }
  for (std::size_t slice = 1; slice < kSlices; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

/// Little endian on every machine.
std::uint64_t load(const char* bytes) noexcept {
  std::uint64_t word = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&word, bytes, sizeof word);
  } else {
    for (std::size_t at = 0; at < sizeof word; ++at) {
      word |= std::uint64_t{static_cast<unsigned char>(bytes[at])} << (8 * at);
    }
  }
  return word;
}

struct TableSteps {
  static std::uint32_t word(std::uint32_t crc, std::uint64_t word) noexcept {
    word ^= crc;
    std::uint32_t next = 0;
    for (std::size_t slice = 0; slice < kSlices; ++slice) {
      next ^= kTables[kSlices - 1 - slice][(word >> (8 * slice)) & 0xFF];
    }
    return next;
  }
  static std::uint32_t byte(std::uint32_t crc, unsigned char byte) noexcept {
    return (crc >> 8) ^ kTables[0][(crc ^ byte) & 0xFF];
  }
};

#if defined(__x86_64__)

bool has_instruction() noexcept {
  return __builtin_cpu_supports("sse4.2") != 0;
}

__attribute__((target("sse4.2"))) std::uint32_t by_instruction(std::string_view bytes,
                                                               std::uint32_t crc) noexcept {
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t wide = ~crc;
  for (; left >= 8; left -= 8, at += 8) {
    wide = _mm_crc32_u64(wide, load(at));
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  for (; left > 0; --left, ++at) {
    narrow = _mm_crc32_u8(narrow, static_cast<unsigned char>(*at));
  }
  return ~narrow;
}

#elif defined(__aarch64__)

bool has_instruction() noexcept {
  static const bool has = (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
  return has;
}

__attribute__((target("+crc"))) std::uint32_t by_instruction(std::string_view bytes,
                                                             std::uint32_t crc) noexcept {
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  crc = ~crc;
  for (; left >= 8; left -= 8, at += 8) {
    crc = __crc32cd(crc, load(at));
  }
  for (; left > 0; --left, ++at) {
    crc = __crc32cb(crc, static_cast<unsigned char>(*at));
  }
  return ~crc;
}

#else

bool has_instruction() noexcept {
  return false;
}

std::uint32_t by_instruction(std::string_view bytes, std::uint32_t crc) noexcept {
  return crc32c_by_table(bytes, crc);
}

#endif

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc) noexcept {
  return has_instruction() ? by_instruction(bytes, crc) : crc32c_by_table(bytes, crc);
}

std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t crc) noexcept {
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  crc = ~crc;
  for (; left >= 8; left -= 8, at += 8) {
    crc = TableSteps::word(crc, load(at));
  }
  for (; left > 0; --left, ++at) {
    crc = TableSteps::byte(crc, static_cast<unsigned char>(*at));
  }
  return ~crc;
}

}  // namespace linnet
