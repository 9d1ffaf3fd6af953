#ifndef GSG_BINDINGS_XLA_CUDA_HANDLER_H_
#define GSG_BINDINGS_XLA_CUDA_HANDLER_H_

#include "xla/ffi/api/ffi.h"

namespace gsg {

// RunCudaLoss on a GPU's stream: for XLA's platform CUDA.
XLA_FFI_Handler* XlaCudaHandler();

}  // namespace gsg

#endif  // GSG_BINDINGS_XLA_CUDA_HANDLER_H_
