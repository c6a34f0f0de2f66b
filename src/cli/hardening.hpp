// What the process takes from itself, so that whoever takes it over has little: core dumps, and
// system calls that a broker has no use for.
//
//   set_core_dumps(false);                        // before a key is read
//   ...                                           // everything is open, all threads may run
//   if (!filter_system_calls(error)) return fail(error);
#pragma once

#include <string>

namespace linnet::cli {

/// Forbidden: no core dump, to a file or to a program that takes them, and no reading of this
/// process' memory by others of the same user (ptrace, /proc/PID/mem). Root may still do both.
/// Allowed: as the limits of the process say. To be repeated after a change of the user, by which
/// the kernel takes a choice of its own. Any thread.
void set_core_dumps(bool allowed) noexcept;

/// From now on the kernel ends the process, with SIGSYS, at any system call that is not in the list
/// of what a broker needs: no other programs, no other processes, no memory that is both writable
/// and executable, no other kinds of sockets. For all threads, those that run and those to come;
/// nothing takes it back. False if the kernel can't; `error` then says so. Any thread.
[[nodiscard]] bool filter_system_calls(std::string& error);

}  // namespace linnet::cli
