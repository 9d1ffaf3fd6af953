#include "models/internal/winograd_kernels.h"

#include <vector>

namespace gsg::internal {

const std::vector<const WinogradKernels*>& SupportedWinogradKernels() {
  static const auto& supported = *[] {
    auto* kernels = new std::vector<const WinogradKernels*>;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
      if (__builtin_cpu_supports("avx512f")) {
        kernels->push_back(&avx512::kWinogradKernels);
      }
      kernels->push_back(&avx2::kWinogradKernels);
    }
#endif
    kernels->push_back(&baseline::kWinogradKernels);
    return kernels;
  }();
  return supported;
}

}  // namespace gsg::internal
