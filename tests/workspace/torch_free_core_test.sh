#!/bin/sh
# The list must have what the core does depend on, and no torch.
deps=tests/workspace/core_deps
grep -q '^@com_google_absl//' "$deps" || { echo "$deps lacks Abseil"; exit 1; }
! grep -i 'torch' "$deps"
