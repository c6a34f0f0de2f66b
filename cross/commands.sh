# shellcheck shell=bash
# What `./dev cross` does. Sourced by dev, whose functions are used.

CROSS_ARCHES=(arm64 armhf armel amd64)
cross_fresh='' cross_tests=OFF

cross_help() {
  cat <<'TEXT'
./dev cross ARCH…            for each of them: arm64, armhf, armel, amd64 or all
  build/cross/linnet-ARCH           one static file that needs no library of its system
  build/cross/linnet-ARCH-dynamic   for Debian, whose libraries it uses: what packages hold
./dev cross ARCH… --test     and run the tests of single rooms, and the broker with real clients, by
                             QEMU; also for s390x, where nothing is built but the tests
./dev cross ARCH… --fresh    ask now, and not once a day, whether Debian has newer libraries
./dev cross ARCH --memory    what the static broker takes up, idle and with 1,000 clients
docs/boards.md says which file is for which board.
TEXT
}

# cross_native ARCH: whether this machine is one.
cross_native() { [[ $1 == "$(dpkg --print-architecture)" ]]; }

cross_compiler() {
  case $1 in
    arm64) echo g++-aarch64-linux-gnu ;;
    armhf) echo g++-arm-linux-gnueabihf ;;
    armel) echo g++-arm-linux-gnueabi ;;
    s390x) echo g++-s390x-linux-gnu ;;
    *) fail "$1 can be built on machines of its own kind alone" ;;
  esac
}

# What runs the programs: this machine itself, if it can.
cross_emulator() {
  if cross_native "$1"; then
    echo env
    return
  fi
  case $1 in
    arm64) echo qemu-aarch64-static ;;
    armhf | armel) echo qemu-arm-static ;;
    s390x) echo qemu-s390x-static ;;
  esac
}

# cross_strip ARCH FROM TO
cross_strip() {
  local compiler
  if cross_native "$1"; then
    strip -s -R .comment -o "$3" "$2"
  else
    compiler=$(cross_compiler "$1")
    "${compiler#g++-}-strip" -s -R .comment -o "$3" "$2"
  fi
}

# A compiler of Debian's that would drive out other packages (as with gcc-multilib) is not worth it.
cross_need() {
  local arch=$1 compiler removed
  need "${BUILD_PACKAGES[@]}"
  cross_native "$arch" && return
  compiler=$(cross_compiler "$arch")
  if ! installed "$compiler"; then
    removed=$(apt-get -s install --no-install-recommends "$compiler" 2>/dev/null |
      awk '/^Remv/ { print $2 }')
    [[ -z $removed ]] || fail "$compiler can't be here together with ${removed//$'\n'/, }"
    need "$compiler"
  fi
  # The build needs the C++ library of the host's headers only; the target's are in the sysroot.
  cross/sysroot ${cross_fresh:+--fresh} "$arch"
}

# cross_build KIND ARCH TARGET…: KIND is a preset of CMakePresets.json, the folder build/KIND-ARCH.
cross_build() {
  local kind=$1 arch=$2 toolchain=()
  local folder=build/$kind-$arch
  shift 2
  cross_need "$arch"
  cross_native "$arch" || toolchain=(--toolchain "$PWD/cross/$arch.cmake")
  # One build finds what the other has compiled.
  export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
  mkdir -p build
  cmake --preset "$kind" -B "$folder" -DLINNET_TESTS="$cross_tests" "${toolchain[@]}" >"build/.cmake-$kind-$arch" || {
    cat "build/.cmake-$kind-$arch" >&2
    fail "cmake does not like this"
  }
  cmake --build "$folder" -j "$(jobs_that_fit)" --target "$@"
}

# cross_binary KIND ARCH FILE
cross_binary() {
  cross_build "$1" "$2" linnet
  mkdir -p build/cross
  cross_strip "$2" "build/$1-$2/linnet" "$3"
}

cross_size() {
  local bytes
  bytes=$(stat -c %s "$1")
  printf '%-36s %9d bytes, %d.%02d MiB\n' "$1" "$bytes" $((bytes >> 20)) \
    $(((bytes & 1048575) * 100 >> 20))
}

# The tests of single rooms, each program as a whole: a process per test would take QEMU far longer.
# cross_unit ARCH ROOM…
cross_unit() {
  local arch=$1 emulator room filter failed=0
  shift
  need qemu-user-static libgtest-dev
  emulator=$(cross_emulator "$arch")
  cross_tests=ON
  cross_build static "$arch" "${@/#/unit_}"
  for room in "$@"; do
    filter=$(sed -n "s/^$room //p" cross/not-by-qemu.txt | paste -sd:)
    echo "dev: unit_$room for $arch" >&2
    timeout 600 "$emulator" "build/static-$arch/unit_$room" --gtest_brief=1 \
      --gtest_filter="-$filter" || failed=1
  done
  [[ $failed -eq 0 ]] || fail "not all tests for $arch have passed"
}

# The static binary with real clients: some of the process tests, with QEMU between.
cross_process() {
  local arch=$1 name failed=0
  local runner=build/cross/run-$arch
  need "${TEST_PACKAGES[@]}" qemu-user-static
  printf '#!/bin/sh\nexec %s %s "$@"\n' "$(cross_emulator "$arch")" \
    "$PWD/build/cross/linnet-$arch" >"$runner"
  chmod +x "$runner"
  for name in "${CROSS_PROCESS_TESTS[@]}"; do
    echo "dev: process.$name for $arch" >&2
    LINNET=$PWD/$runner LINNET_MEMORY_FACTOR=8 $PYTHON -B "tests/process/${name}_test.py" || failed=1
  done
  [[ $failed -eq 0 ]] || fail "not all tests for $arch have passed"
}

CROSS_PROCESS_TESTS=(matrix paho websocket tls passwd store_restart)
CROSS_ROOMS=(base mqtt net config tls web router store auth session transport control bench broker)

# What the static broker takes up, on one thread. Under QEMU, the emulator itself is in it.
cross_memory() {
  local arch=$1 port idle pid
  build release linnet >&2
  ulimit -n "$(ulimit -Hn)"
  bench_folder=$(mktemp -d build/bench-XXXXXX)
  trap stop_bench EXIT
  trap 'exit 130' INT TERM
  "$(cross_emulator "$arch")" "build/cross/linnet-$arch" run --listen mqtt://127.0.0.1:0 \
    --data-dir "$bench_folder/data" --set threads=1 >"$bench_folder/log" 2>&1 &
  bench_broker=$!
  pid=$bench_broker
  until grep -q 'broker: ready' "$bench_folder/log"; do
    kill -0 "$pid" 2>/dev/null || fail "the broker did not start: $(<"$bench_folder/log")"
    sleep 0.05
  done
  port=$(sed -n 's|.*listening on mqtt://127.0.0.1:||p' "$bench_folder/log")
  idle=$(awk '/^VmRSS:/ { print $2 }' "/proc/$pid/status")
  echo "$arch: ${idle} KiB idle"
  build/release/linnet bench idle --clients 1000 --url "mqtt://127.0.0.1:$port" --pid "$pid"
  stop_bench
  bench_broker='' bench_folder=''
}

# What is quick, for continuous integration: 32 bits, and big endian.
cross_quick_test() {
  case $(dpkg --print-architecture) in
    amd64 | arm64) ;;
    *)
      echo "dev: Debian has no compilers for other machines here; their tests are left out" >&2
      return
      ;;
  esac
  cross_unit armhf base mqtt store
  cross_unit s390x base mqtt store
}

run_cross() {
  local arches=() arch tests='' memory=''
  while [[ $# -gt 0 ]]; do
    case $1 in
      --test) tests=1 ;;
      --memory) memory=1 ;;
      --fresh) cross_fresh=1 ;;
      all) arches+=("${CROSS_ARCHES[@]}") ;;
      arm64 | armhf | armel | amd64 | s390x) arches+=("$1") ;;
      *)
        cross_help >&2
        exit 2
        ;;
    esac
    shift
  done
  [[ ${#arches[@]} -gt 0 ]] || {
    cross_help
    return
  }
  for arch in "${arches[@]}"; do
    if [[ $arch != s390x ]]; then
      cross_binary static "$arch" "build/cross/linnet-$arch"
      cross_binary package "$arch" "build/cross/linnet-$arch-dynamic"
    fi
    [[ -z $tests ]] || cross_unit "$arch" "${CROSS_ROOMS[@]}"
    [[ -z $tests || $arch == s390x ]] || cross_process "$arch"
    [[ -z $memory ]] || cross_memory "$arch"
  done
  for arch in "${arches[@]}"; do
    [[ $arch != s390x ]] || continue
    cross_size "build/cross/linnet-$arch"
    cross_size "build/cross/linnet-$arch-dynamic"
  done
}
