#include "models/internal/convolution_kernels.h"

#include <vector>

namespace gsg::internal {

const std::vector<const ConvolutionKernels*>& SupportedConvolutionKernels() {
  static const auto& supported = *[] {
    auto* kernels = new std::vector<const ConvolutionKernels*>;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
      if (__builtin_cpu_supports("avx512f")) {
        kernels->push_back(&avx512::kConvolutionKernels);
      }
      kernels->push_back(&avx2::kConvolutionKernels);
    }
#endif
    kernels->push_back(&baseline::kConvolutionKernels);
    return kernels;
  }();
  return supported;
}

}  // namespace gsg::internal
