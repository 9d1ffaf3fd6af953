#!/bin/sh
# The sample prints what docs/using_gsg_core.md says, and the loader finds all
# that it needs without torch.
set -eu
sample="$1"

expected='loss -0.853553, pair 0
dloss/dp21 = (-0.176777, 0.176777)'
actual="$("$sample")"
if [ "$actual" != "$expected" ]; then
  printf 'the sample printed\n%s\nnot\n%s\n' "$actual" "$expected"
  exit 1
fi

libraries="$(ldd "$sample")"
case "$libraries" in
  *libc.so*) ;;
  *) printf 'ldd does not list libc:\n%s\n' "$libraries"; exit 1 ;;
esac
case "$libraries" in
  *libtorch* | *libc10*) printf 'torch is linked:\n%s\n' "$libraries"; exit 1 ;;
esac
