#!/bin/bash
# Runs what packaging/docker/cpu.Dockerfile has for its image, without docker: in a
# Debian 12 of its own with Python, which stands in for the base image, with wheels
# that are built here, and trains in it on drawn images. Needs root, debootstrap and
# 4 GB below TMPDIR; .ci/nightly calls it. Instructions of the stage that builds the
# wheels are not run.
set -euo pipefail
cd "$(dirname "$0")/../.."

./bazelw build //bindings:wheel //bindings:train_wheel
# shellcheck source=tests/workspace/debian_root.sh
. tests/workspace/debian_root.sh
debian_root bookworm ca-certificates python3-pip
python3 -m tests.packaging.run_image "$debian" packaging/docker/cpu.Dockerfile \
  "$(./bazelw info bazel-bin)/bindings"
