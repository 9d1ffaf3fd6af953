// The same for tests of what LibTorch computes, and all operators.

#include <ATen/ATen.h>

#include "bazel/libtorch_headers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
