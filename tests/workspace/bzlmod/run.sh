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
# shellcheck source=tests/workspace/debian_root.sh
. tests/workspace/debian_root.sh
debian_root sid bazel-bootstrap g++
trap 'chroot "$debian" bash -c "cd /consumer && bazel --output_user_root=/out shutdown" || true
  debian_leave' EXIT

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
