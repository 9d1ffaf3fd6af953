#include "trainers/base/wait_policy.h"

#include <unistd.h>

#include <cstdlib>

namespace gsg {

void SpinBriefly(const char* const* argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr ||
      std::getenv("GOMP_SPINCOUNT") != nullptr) {
    return;
  }
  // Some microseconds: long enough for the barrier behind a layer, where waking
  // a thread would take as long, and nothing beside a time slice of the
  // scheduler (docs/performance.md has other counts).
  if (setenv("GOMP_SPINCOUNT", "1000", /*overwrite=*/0) != 0) return;
  execv("/proc/self/exe", const_cast<char* const*>(argv));
}

}  // namespace gsg
