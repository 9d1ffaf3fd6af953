// The same for units that define networks and their derivatives.

#include <torch/nn/module.h>

#include "bazel/libtorch_headers.h"
