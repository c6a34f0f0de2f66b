#include "cli/hardening.hpp"

#include <array>
#include <cerrno>
#include <linux/sched.h>
#include <memory>
#include <seccomp.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

#include "base/cat.hpp"
#include "cli/system_calls.hpp"

namespace linnet::cli {
namespace {

using Filter = std::unique_ptr<void, decltype(&seccomp_release)>;
using Condition = scmp_arg_cmp;
using Number = scmp_datum_t;

/// Glibc names memory for /proc/PID/maps where the kernel can.
constexpr int kNameMemory = 0x53564d41;  // PR_SET_VMA, which old headers lack

Condition equals(unsigned argument, Number value) noexcept {
  return {argument, SCMP_CMP_EQ, value, 0};
}

Condition has_bits(unsigned argument, Number mask, Number bits) noexcept {
  return {argument, SCMP_CMP_MASKED_EQ, mask, bits};
}

/// Builds the filter, and remembers the first thing that went wrong.
class Rules {
 public:
  explicit Rules(scmp_filter_ctx filter) noexcept : filter_(filter) {}

  void allow(const char* name) { add(SCMP_ACT_ALLOW, name, nullptr); }
  void allow(const char* name, Condition condition) { add(SCMP_ACT_ALLOW, name, &condition); }
  /// It looks as if the kernel did not have it: glibc then takes an older one.
  void hide(const char* name) { add(SCMP_ACT_ERRNO(ENOSYS), name, nullptr); }

  [[nodiscard]] int error() const noexcept { return error_; }
  [[nodiscard]] const char* at() const noexcept { return at_; }

 private:
  void add(std::uint32_t action, const char* name, const Condition* condition) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || error_ != 0) return;  // an old library does not know all names
    // Calls that this machine's architecture does not have are left out by the library.
    error_ =
        -seccomp_rule_add_array(filter_, action, number, condition != nullptr ? 1 : 0, condition);
    if (error_ != 0) at_ = name;
  }

  scmp_filter_ctx filter_;
  int error_ = 0;
  const char* at_ = "";
};

/// Threads of this process, and no process beside it. The flags of clone3() lie in memory, where no
/// filter sees them.
void allow_threads(Rules& rules) {
  const bool flags_come_second = seccomp_arch_native() == SCMP_ARCH_S390X;
  rules.allow("clone", has_bits(flags_come_second ? 1 : 0, CLONE_THREAD, CLONE_THREAD));
  rules.hide("clone3");
  rules.allow("tgkill", equals(0, static_cast<Number>(getpid())));
}

/// A library that is loaded late (names of users and hosts) maps its code, but writes to none.
void allow_memory(Rules& rules) {
  for (const char* name : {"mmap", "mmap2"}) {
    rules.allow(name, has_bits(2, PROT_EXEC, 0));
    rules.allow(name, has_bits(2, PROT_WRITE | PROT_EXEC, PROT_EXEC));
  }
  rules.allow("mprotect", has_bits(2, PROT_EXEC, 0));
}

void allow_with_conditions(Rules& rules) {
  allow_threads(rules);
  allow_memory(rules);
  // Netlink tells the resolver which addresses this machine has.
  for (const int family : {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK})
    rules.allow("socket", equals(0, static_cast<Number>(family)));
  rules.allow("socketpair", equals(0, AF_UNIX));
  // The last two are how the C library reads the zone of an address, as in fe80::1%eth0.
  for (const Number request :
       std::array<Number, 6>{FIONBIO, FIONREAD, TCGETS, TIOCGWINSZ, SIOCGIFINDEX, SIOCGIFNAME})
    rules.allow("ioctl", equals(1, request));
  for (const int option : {PR_SET_NAME, PR_GET_NAME, kNameMemory})
    rules.allow("prctl", equals(0, static_cast<Number>(option)));
  rules.allow("prlimit64", equals(0, 0));
}

std::string refusal(int error, std::string_view what) {
  return cat("seccomp = true: ", what, ": ", std::generic_category().message(error),
             "; the kernel, or what this process runs in, has to allow system call filters; "
             "or leave out the key");
}

}  // namespace

void set_core_dumps(bool allowed) noexcept {
  const rlimit none{0, 0};
  if (!allowed) setrlimit(RLIMIT_CORE, &none);
  // Where the kernel hands core dumps to a program, the limit alone does not count.
  prctl(PR_SET_DUMPABLE, allowed ? 1 : 0, 0, 0, 0);
}

bool filter_system_calls(std::string& error) {
  const Filter filter(seccomp_init(SCMP_ACT_KILL_PROCESS), &seccomp_release);
  if (!filter) {
    error = refusal(ENOSYS, "the kernel knows no filter that ends the process");
    return false;
  }
  Rules rules(filter.get());
  for (const char* name : kSystemCalls)
    rules.allow(name);
  allow_with_conditions(rules);
  if (rules.error() != 0) {
    error = refusal(rules.error(), cat("the filter has no room for ", rules.at()));
    return false;
  }
  // A decision tree: the cost of a call does not grow with the list. Older libraries have none.
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  // All threads at once. The library also sets no_new_privs, which the kernel asks for.
  int failed = -seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  if (failed == 0) failed = -seccomp_load(filter.get());
  if (failed != 0) error = refusal(failed, "the kernel refuses the filter");
  return failed == 0;
}

}  // namespace linnet::cli
