// Memory of tensors on the CPU.

#ifndef GSG_MODELS_TENSOR_MEMORY_H_
#define GSG_MODELS_TENSOR_MEMORY_H_

namespace gsg {

// From the first call on, what a large tensor on the CPU leaves behind stays
// with the process, for the next one of about its size. A training step needs
// the same tensors as the one before, and the system clears memory page by page
// before it gives it away. From 2 MiB on memory is in large pages where the
// system offers them (MADV_HUGEPAGE), for which the processor has fewer
// addresses to look up. No more is kept than twice what tensors have needed at
// once, and nothing once memory has run out. Results do not change;
// docs/performance.md has what it gains. For programs: a library leaves such a
// choice to its user.
void KeepTensorMemory();

}  // namespace gsg

#endif  // GSG_MODELS_TENSOR_MEMORY_H_
