#!/bin/bash
# Builds and runs tests/gsg_core/sample.cc from another workspace with Bazel 7 and
# bzlmod, in a Debian sid of its own (bazel-bootstrap, the newest GCC). Needs root,
# debootstrap, 1.5 GB in a new folder below TMPDIR, and some ten minutes; .ci/nightly
# calls it. No registry is reached: registry.py makes one of what the Bazel package
# brings and of this workspace's Abseil and Eigen.
set -euo pipefail
cd "$(dirname "$0")/../../.."

./bazelw fetch //gsg_core/...
external="$(./bazelw info output_base)/external"
debian="$(mktemp -d)"
chmod 755 "$debian"
leave() {
  set +e
  chroot "$debian" bash -c 'cd /consumer && bazel --output_user_root=/out shutdown'
  umount "$debian/proc" "$debian/dev"
  rm -rf --one-file-system "$debian"
}
trap leave EXIT

# shellcheck disable=SC2016
mirror="$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | head -n 1)"
debootstrap --variant=minbase sid "$debian" "$mirror"
cp /etc/resolv.conf "$debian/etc/"
cp /etc/apt/apt.conf.d/*proxy* "$debian/etc/apt/apt.conf.d/" 2>/dev/null || true
mount --bind /proc "$debian/proc"
mount --bind /dev "$debian/dev"
chroot "$debian" apt-get update
DEBIAN_FRONTEND=noninteractive chroot "$debian" apt-get install -y \
  --no-install-recommends bazel-bootstrap g++

mkdir "$debian/gsg" "$debian/modules" "$debian/out"
chmod 777 "$debian/out"  # Debian's bazel is not root
git archive HEAD | tar x -C "$debian/gsg"
cp -r "$external/com_google_absl" "$debian/modules/abseil-cpp"
cp -rL "$external/eigen" "$debian/modules/eigen"
python3 tests/workspace/bzlmod/registry.py "$debian"
mkdir "$debian/consumer"
cp tests/workspace/bzlmod/MODULE.txt "$debian/consumer/MODULE.bazel"
cp tests/workspace/bzlmod/BUILD.txt "$debian/consumer/BUILD"
cp tests/workspace/other_workspace/bazelrc.txt "$debian/consumer/.bazelrc"
cp tests/gsg_core/sample.cc "$debian/consumer/"
chroot "$debian" bash -c 'cd /consumer && bazel --output_user_root=/out run \
  --enable_bzlmod --noenable_workspace --lockfile_mode=off \
  --registry=file:///registry //:sample'
