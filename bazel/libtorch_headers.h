// What nearly all units that compute with LibTorch include, compiled once for
// all of them (cc.bzl). It replaces none of their own includes:
// --define=precompiled=0 builds without it.

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/Device.h>
#include <c10/core/StreamGuard.h>

#include "bazel/common_headers.h"
