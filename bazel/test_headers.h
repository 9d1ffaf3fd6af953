// The same for their tests.

#include "bazel/common_headers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
