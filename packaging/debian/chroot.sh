# shellcheck shell=bash
# What the tests of packages share: a fresh Debian 12 in a folder of its own, which is gone at the end.
# Sourced, with the package and a folder that keeps the bare system (or nothing) as arguments.

# What is mounted here is seen by nobody else, and what runs here ends with this script.
if [[ ${LINNET_OWN_PLACE:-} != yes ]]; then
  LINNET_OWN_PLACE=yes exec unshare --mount --pid --fork --kill-child --mount-proc "$0" "$@"
fi

package=$(readlink -f "$1")
bare=${2:-}
folder=$(mktemp -d /var/tmp/linnet-deb-XXXXXX)
root=$folder/root

# What is mounted below is not followed: it goes with this script.
finish() {
  umount -l "$root/proc" 2>/dev/null || true
  rm -rf --one-file-system "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM

fail() {
  echo "$0: $*" >&2
  exit 1
}

say() {
  echo "== $*" >&2
}

# eventually SECONDS COMMAND…: until it succeeds.
eventually() {
  local seconds=$1 end
  shift
  end=$((SECONDS + seconds))
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.2
  done
}

inside() {
  chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
    LC_ALL=C.UTF-8 "$@"
}

# A bare system from where this machine gets its own packages.
make_bare() {
  local mirror
  # shellcheck disable=SC2016  # they are apt's
  mirror=$(apt-get indextargets --format '$(RELEASE) $(SITE)' 'Created-By: Packages' |
    sed -n 's/^bookworm //p' | head -n 1)
  [[ -n $mirror ]] || fail "apt has no source of Debian 12 (bookworm)"
  debootstrap --variant=minbase --include=systemd-standalone-sysusers,netbase bookworm "$1" \
    "$mirror" >"$folder/debootstrap.log" 2>&1 ||
    fail "debootstrap failed: $(tail -n 5 "$folder/debootstrap.log")"
  echo "deb $mirror bookworm main" >"$1/etc/apt/sources.list"
  # No service is started here.
  printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
  chmod 755 "$1/usr/sbin/policy-rc.d"
}

# install_in_chroot PACKAGE…
install_in_chroot() {
  inside apt-get -qq install -y --no-install-recommends "$@" >"$folder/apt.log" 2>&1 ||
    fail "apt does not like this: $(<"$folder/apt.log")"
}

say "a bare system"
if [[ -n $bare ]]; then
  [[ -d $bare ]] || make_bare "$bare"
  cp -a "$bare" "$root"
else
  make_bare "$root"
fi
mount -t proc proc "$root/proc"
cp "$package" "$root/tmp/first.deb"
inside apt-get -qq update
