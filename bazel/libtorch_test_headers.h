// The same for tests of what LibTorch computes.

#include "bazel/libtorch_headers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
