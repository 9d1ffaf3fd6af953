#ifndef GSG_CUDA_STREAM_H_
#define GSG_CUDA_STREAM_H_

// CUDA's own name, so that its headers are not needed here.
struct CUstream_st;

namespace gsg::cuda {

// cudaStream_t; null is the default stream. It belongs to the current device.
using Stream = CUstream_st*;

}  // namespace gsg::cuda

#endif  // GSG_CUDA_STREAM_H_
