#include "trainers/base/wait_policy.h"

#include <unistd.h>

#include <cstdlib>

namespace gsg {

void WaitPassively(const char* const* argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr ||
      std::getenv("GOMP_SPINCOUNT") != nullptr) {
    return;
  }
  if (setenv("OMP_WAIT_POLICY", "passive", /*overwrite=*/0) != 0) return;
  execv("/proc/self/exe", const_cast<char* const*>(argv));
}

}  // namespace gsg
