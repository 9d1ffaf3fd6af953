#ifndef GSG_TESTS_CUDA_EMULATED_AUGMENT_H_
#define GSG_TESTS_CUDA_EMULATED_AUGMENT_H_

#include <cstddef>
#include <vector>

#include "cuda/internal/augment_args.h"
#include "cuda/internal/augment_kernel.h"
#include "cuda/internal/augment_plan.h"
#include "tests/cuda/host_block.h"

namespace gsg::cuda::internal {

// Every block of a launch of the augmentation, one after the other.
template <typename T>
void Emulate(const AugmentArgs<T>& args) {
  const size_t planes =
      AugmentPlanesBytes(args.images.channels, args.size) / sizeof(float);
  std::vector<float> shared(planes);
  std::vector<float> tables(AugmentTablesBytes(args) / sizeof(float));
  for (int view = 0; view < args.views; ++view) {
    HostBlock block(view, AugmentThreads(args.size));
    typename AugmentKernel<T>::State state;
    float* const mine = args.workspace != nullptr
                            ? args.workspace + planes * view
                            : shared.data();
    AugmentKernel<T>::Run(block, args, mine, tables.data(), state);
  }
}

}  // namespace gsg::cuda::internal

#endif  // GSG_TESTS_CUDA_EMULATED_AUGMENT_H_
