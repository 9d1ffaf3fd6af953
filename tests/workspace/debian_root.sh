# shellcheck shell=bash
# For scripts that source it: a Debian of their own, where they are root.

# debian_root SUITE PACKAGE...: makes the folder $debian below TMPDIR with the
# packages and what apt and pip of this machine are set up with; it goes when the
# script ends. Needs root and debootstrap.
debian_root() {
  local suite=$1 mirror
  shift
  debian="$(mktemp -d)"
  chmod 755 "$debian"
  trap debian_leave EXIT
  # shellcheck disable=SC2016
  mirror="$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | head -n 1)"
  debootstrap --variant=minbase "$suite" "$debian" "$mirror"
  cp /etc/resolv.conf "$debian/etc/"
  # A proxy, say, or that a release's date does not matter.
  apt-config dump | grep '^Acquire::' > "$debian/etc/apt/apt.conf.d/99machine"
  mount --bind /proc "$debian/proc"
  mount --bind /dev "$debian/dev"
  chroot "$debian" apt-get update
  DEBIAN_FRONTEND=noninteractive chroot "$debian" apt-get install -y \
    --no-install-recommends "$@"
  # A proxy has a certificate of its own.
  cp /etc/pip.conf "$debian/etc/" 2>/dev/null || true
  if [ -d "$debian/etc/ssl/certs" ]; then
    cp /etc/ssl/certs/ca-certificates.crt "$debian/etc/ssl/certs/" || true
  fi
}

debian_leave() {
  set +e
  umount "$debian/proc" "$debian/dev"
  rm -rf --one-file-system "$debian"
}
