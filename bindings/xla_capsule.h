#ifndef GSG_BINDINGS_XLA_CAPSULE_H_
#define GSG_BINDINGS_XLA_CAPSULE_H_

#include "pybind11/pybind11.h"
#include "xla/ffi/api/ffi.h"

namespace gsg {

// A handler as jax.ffi.register_ffi_target takes it.
inline pybind11::capsule XlaCapsule(XLA_FFI_Handler* handler) {
  // The name is the one that XLA looks for.
  return pybind11::capsule(reinterpret_cast<void*>(handler),
                           "xla._CUSTOM_CALL_TARGET");
}

}  // namespace gsg

#endif  // GSG_BINDINGS_XLA_CAPSULE_H_
