#ifndef GSG_TRAINERS_PROGRAMS_TORCH_PRODUCT_H_
#define GSG_TRAINERS_PROGRAMS_TORCH_PRODUCT_H_

#include "trainers/explore/features.h"

namespace gsg {

// Products of matrices by LibTorch, with its threads and this processor's
// widest instructions.
Product TorchProduct();

}  // namespace gsg

#endif  // GSG_TRAINERS_PROGRAMS_TORCH_PRODUCT_H_
