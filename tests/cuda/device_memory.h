#ifndef GSG_TESTS_CUDA_DEVICE_MEMORY_H_
#define GSG_TESTS_CUDA_DEVICE_MEMORY_H_

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <vector>

// CUDA for tests and benchmarks, where a failure of the runtime is the end.
namespace gsg::cuda {

inline void CheckCuda(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::cerr << what << ": " << cudaGetErrorString(error) << "\n";
  std::abort();
}
#define GSG_CHECK_CUDA(call) ::gsg::cuda::CheckCuda(call, #call)

inline bool HasGpu() {
  int devices = 0;
  return cudaGetDeviceCount(&devices) == cudaSuccess && devices > 0;
}

// n elements of device memory, of a type that may be copied by bytes.
template <typename T>
class DeviceArray {
 public:
  explicit DeviceArray(size_t n) : n_(n) {
    void* data = nullptr;
    // An empty one has an address, too.
    GSG_CHECK_CUDA(cudaMalloc(&data, (n > 0 ? n : 1) * sizeof(T)));
    data_ = static_cast<T*>(data);
    GSG_CHECK_CUDA(cudaMemset(data_, 0, n * sizeof(T)));
  }
  explicit DeviceArray(const std::vector<T>& from) : DeviceArray(from.size()) {
    Set(from);
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* data() const { return data_; }
  size_t size() const { return n_; }

  void Set(const std::vector<T>& from) {
    GSG_CHECK_CUDA(
        cudaMemcpy(data_, from.data(), n_ * sizeof(T), cudaMemcpyHostToDevice));
  }

  // Waits for the device.
  std::vector<T> Get() const {
    GSG_CHECK_CUDA(cudaDeviceSynchronize());
    std::vector<T> to(n_);
    GSG_CHECK_CUDA(
        cudaMemcpy(to.data(), data_, n_ * sizeof(T), cudaMemcpyDeviceToHost));
    return to;
  }

 private:
  T* data_ = nullptr;
  size_t n_;
};

}  // namespace gsg::cuda

#endif  // GSG_TESTS_CUDA_DEVICE_MEMORY_H_
