// The kernels, written with vector extensions (GCC and Clang) for registers of
// GSG_SIMD_BYTES. Each convolution_*.cc sets GSG_SIMD, GSG_SIMD_NAME and
// GSG_SIMD_BYTES and turns its instruction set on. Nothing here may call a
// function shared with other files, whose code the linker could then take from
// the wrong instruction set: hence no standard library.
//
// No include guard: one inclusion per file, each with other macros.

namespace gsg::internal::GSG_SIMD {
namespace {

#define GSG_INLINE __attribute__((always_inline)) inline
// Registers have no addresses: loops over them must go.
#if defined(__clang__)
#define GSG_UNROLL _Pragma("unroll")
#else
#define GSG_UNROLL _Pragma("GCC unroll 36")
#endif

typedef float Vec __attribute__((vector_size(GSG_SIMD_BYTES)));
typedef float UnalignedVec
    __attribute__((vector_size(GSG_SIMD_BYTES), aligned(4), may_alias));
constexpr int64_t kLanes = GSG_SIMD_BYTES / sizeof(float);

GSG_INLINE Vec Load(const float* p) { return *(const UnalignedVec*)p; }
GSG_INLINE void Store(Vec x, float* p) { *(UnalignedVec*)p = x; }

#include "models/internal/product_kernels-inl.h"
#include "models/internal/winograd_kernels-inl.h"

#undef GSG_UNROLL
#undef GSG_INLINE

}  // namespace

const ConvolutionKernels kConvolutionKernels = {GSG_SIMD_NAME,
                                                TransformInput,
                                                RestoreInput,
                                                RestoreOutput,
                                                TransformOutput,
                                                TransformWeight,
                                                TransformWeightByInput,
                                                RestoreWeightByInput,
                                                Multiply,
                                                MultiplyTiles,
                                                kPanelsAtOnce,
                                                kProductRows,
                                                kProductColumns,
                                                Pack<kProductRows>,
                                                Pack<kProductColumns>,
                                                SumProducts};

}  // namespace gsg::internal::GSG_SIMD
