#ifndef GSG_CUDA_INTERNAL_DEVICE_BLOCK_H_
#define GSG_CUDA_INTERNAL_DEVICE_BLOCK_H_

#include <cstdint>

// A block of threads as kernels see it, on the GPU. A kernel is a function of
// the whole block, in steps: what each thread does alone (Each), and what one
// does for all (One, Reduce, Last) or the lanes of one warp do, some of them
// each a part (Decide, Lanes). All threads take the same way through it;
// between steps they meet at a barrier. tests/cuda/host_block.h is the same for
// a host, which goes through each step thread by thread: sums are added in the
// same order.
namespace gsg::cuda::internal {

inline constexpr int kMaxSums = 24;

// The sums of a block take shape here, in shared memory.
struct BlockScratch {
  double partial[16][kMaxSums];  // of each warp, of at most 512 threads
  double total[kMaxSums];
  uint32_t is_last;
};

class DeviceBlock {
 public:
  // A variable of each thread.
  template <typename V>
  class PerThread {
   public:
    __device__ explicit PerThread(DeviceBlock&) {}
    __device__ V& operator[](int /*thread*/) { return value_; }

   private:
    V value_;
  };

  __device__ explicit DeviceBlock(BlockScratch* scratch) : scratch_(scratch) {}

  __device__ int index() const { return blockIdx.x; }
  __device__ int threads() const { return blockDim.x; }

  // f(thread) by each thread. No barrier.
  template <typename F>
  __device__ __forceinline__ void Each(F&& f) {
    f(static_cast<int>(threadIdx.x));
  }

  // All that threads wrote to shared and global memory is seen by the block.
  __device__ void Meet() { __syncthreads(); }

  // f() by one thread, between two barriers.
  template <typename F>
  __device__ __forceinline__ void One(F&& f) {
    __syncthreads();
    if (threadIdx.x == 0) f();
    __syncthreads();
  }

  // add(thread, sums) adds what a thread has to its sums[k], k < kSums (a power
  // of two, at most 16), which are 0 before. They are the block's sums kFirst +
  // k, for Decide. Within a warp sums are added in Real, pairwise over a
  // distance of 16, 8, 4, 2 and 1 threads. No barrier.
  template <typename Real, int kFirst, int kSums, typename Add>
  __device__ __forceinline__ void Sum(Add&& add) {
    static_assert(kSums <= 16 && (kSums & (kSums - 1)) == 0);
    static_assert(kFirst + kSums <= kMaxSums);
    Real sums[kSums];
#pragma unroll
    for (int k = 0; k < kSums; ++k) sums[k] = 0;
    add(static_cast<int>(threadIdx.x), sums);

    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    AddWarp<kSums, 16>(lane, sums);
    constexpr int kLanes = 32 / kSums;  // with the same sum
    if (lane % kLanes == 0) {
      scratch_->partial[warp][kFirst + lane / kLanes] = sums[0];
    }
  }

  // decide(sums) with the block's first `count` sums, those of its warps added
  // in their order, in double: between two barriers, by the lanes of a warp.
  // What decide does outside of Lanes each of them does for itself, and must
  // not write to memory.
  template <typename F>
  __device__ __forceinline__ void Decide(int count, F&& decide) {
    __syncthreads();
    if (threadIdx.x < 32) {
      const int lane = threadIdx.x;
      if (lane < count) {
        double total = 0;
        const int warps = blockDim.x / 32;
#pragma unroll 4
        for (int w = 0; w < warps; ++w) total += scratch_->partial[w][lane];
        scratch_->total[lane] = total;
      }
      __syncwarp();
      decide(scratch_->total);
    }
    __syncthreads();
  }

  // f(k), k < count (at most 32), by a lane each. The next step of the decision
  // sees what they wrote.
  template <typename F>
  static __device__ __forceinline__ void Lanes(int count, F&& f) {
    const int lane = threadIdx.x;
    if (lane < count) f(lane);
    __syncwarp();
  }

  // Sum, and take(sums) by one thread between two barriers.
  template <typename Real, int kSums, typename Add, typename Take>
  __device__ __forceinline__ void Reduce(Add&& add, Take&& take) {
    Sum<Real, 0, kSums>(add);
    Decide(kSums,
           [&](const double* sums) { Lanes(1, [&](int) { take(sums); }); });
  }

  // Whether this block is the last of `blocks` to get here; the last one sees
  // what one thread of each wrote by write(). Leaves *ticket, which is 0 at the
  // beginning, at 0.
  template <typename F>
  __device__ bool Last(uint32_t* ticket, uint32_t blocks, F&& write) {
    One([&] {
      write();
      __threadfence();
      scratch_->is_last = atomicAdd(ticket, 1) == blocks - 1;
      if (scratch_->is_last != 0) {
        *ticket = 0;
        __threadfence();
      }
    });
    return scratch_->is_last != 0;
  }

  // What another block has written.
  static __device__ double Fresh(const double* from) { return __ldcg(from); }

 private:
  // Adds up each of kSums over the warp. While a lane has several it keeps half
  // of them and hands the others to its partner, which takes 16 shuffles for 16
  // sums in the place of 80. Leaves sum lane / (32 / kSums) of all in sums[0].
  template <int kSums, int kDistance, typename Real>
  __device__ static __forceinline__ void AddWarp(int lane, Real* sums) {
    if constexpr (kDistance > 0) {
      if constexpr (kSums > 1) {
        const bool upper = (lane & kDistance) != 0;
#pragma unroll
        for (int k = 0; k < kSums / 2; ++k) {
          const Real mine = upper ? sums[k + kSums / 2] : sums[k];
          const Real other = upper ? sums[k] : sums[k + kSums / 2];
          sums[k] = mine + __shfl_xor_sync(~0u, other, kDistance);
        }
        AddWarp<kSums / 2, kDistance / 2>(lane, sums);
      } else {
        sums[0] += __shfl_xor_sync(~0u, sums[0], kDistance);
        AddWarp<1, kDistance / 2>(lane, sums);
      }
    }
  }

  BlockScratch* scratch_;
};

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_DEVICE_BLOCK_H_
