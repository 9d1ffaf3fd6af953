// Mixed precision: products in 16 bits, everything that adds up in 32.

#ifndef GSG_TRAINERS_METHODS_AUTOCAST_H_
#define GSG_TRAINERS_METHODS_AUTOCAST_H_

#include <c10/core/Device.h>

namespace gsg {

// While it lives, and `on`, LibTorch computes convolutions and matrix products
// of float32 tensors on `device` in bfloat16, from weights rounded once for all
// passes (torch.autocast). Weights, their gradients, and the sums and
// statistics of BatchNorm stay float32. Of one thread, one at a time; backward
// passes need none.
class Autocast {
 public:
  Autocast(bool on, c10::Device device);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  const bool on_;
  const c10::DeviceType type_;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_METHODS_AUTOCAST_H_
