// The system calls that a broker may make once it runs, whatever their arguments; hardening.cpp has
// those that depend on them. Each line has the names that 32-bit machines use, too: what a machine
// does not have does no harm here.
#pragma once

namespace linnet::cli {

// clang-format off
inline constexpr const char* kSystemCalls[] = {
    // Waiting
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    "eventfd", "eventfd2", "poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6",
    "pselect6_time64", "timerfd_create", "timerfd_settime", "timerfd_settime64", "timerfd_gettime",
    "timerfd_gettime64", "pipe", "pipe2",
    // Sockets: those that are served, new listeners, name lookups, calls to HTTP servers
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen",
    "recv", "recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg", "send", "sendmmsg", "sendmsg",
    "sendto", "setsockopt", "shutdown",
    // Descriptors
    "close", "close_range", "dup", "dup2", "dup3", "fcntl", "fcntl64", "flock",
    // Reading and writing: the store, certificates, the configuration, the log
    "open", "openat", "read", "readv", "pread64", "preadv", "preadv2", "write", "writev",
    "pwrite64", "pwritev", "pwritev2", "lseek", "_llseek", "sendfile", "sendfile64",
    "copy_file_range", "fadvise64", "fadvise64_64", "arm_fadvise64_64", "readahead",
    "fsync", "fdatasync", "msync", "sync_file_range", "sync_file_range2", "arm_sync_file_range",
    "fallocate", "ftruncate", "ftruncate64", "truncate", "truncate64",
    // What lies in folders: socket files, copies of the store
    "stat", "stat64", "lstat", "lstat64", "fstat", "fstat64", "fstatat64", "newfstatat", "statx",
    "statfs", "statfs64", "fstatfs", "fstatfs64", "access", "faccessat", "faccessat2",
    "readlink", "readlinkat", "getcwd", "getdents", "getdents64",
    "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link",
    "linkat", "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "chown32", "fchown", "fchown32",
    "lchown", "lchown32", "fchownat", "umask", "utimensat", "utimensat_time64",
    // Memory; mmap and mprotect are among those with conditions
    "brk", "munmap", "mremap", "madvise", "membarrier",
    // Threads
    "futex", "futex_time64", "futex_waitv", "set_robust_list", "get_robust_list", "rseq",
    "sched_yield", "setpriority", "sched_getaffinity", "getcpu", "set_tid_address", "exit",
    "exit_group",
    // Signals, for this process alone
    "rt_sigaction", "rt_sigprocmask", "rt_sigpending", "rt_sigreturn", "sigreturn",
    "rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64", "sigaltstack", "signalfd4",
    "restart_syscall",
    // Time and chance
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "clock_nanosleep",
    "clock_nanosleep_time64", "nanosleep", "gettimeofday", "time", "times", "getrandom",
    // Who and where we are
    "getpid", "getppid", "gettid", "getuid", "getuid32", "geteuid", "geteuid32", "getgid",
    "getgid32", "getegid", "getegid32", "getgroups", "getgroups32", "getrlimit", "ugetrlimit",
    "getrusage", "sysinfo", "uname",
};
// clang-format on

}  // namespace linnet::cli
