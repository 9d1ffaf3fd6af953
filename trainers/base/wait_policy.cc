#include "trainers/base/wait_policy.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace gsg {
namespace {

// Are there two or more threads of other programs that could run, for each CPU?
// Looks ten times within 20 ms, which is less than a time slice or two.
bool IsCrowded() {
  constexpr int kLooks = 10;
  int others = 0;
  for (int i = 0; i < kLooks; ++i) {
    std::string line;
    std::getline(std::ifstream("/proc/loadavg"), line);
    int running = 0;  // "0.52 0.58 0.59 3/602 12345": 3, this thread included
    if (std::sscanf(line.c_str(), "%*f %*f %*f %d/", &running) != 1) {
      return false;
    }
    others += running - 1;
    usleep(2000);
  }
  return others >= 2 * kLooks * sysconf(_SC_NPROCESSORS_ONLN);
}

}  // namespace

void SpinBriefly(const char* const* argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr ||
      std::getenv("GOMP_SPINCOUNT") != nullptr) {
    return;
  }
  // Some microseconds: long enough for the barrier behind a layer, where waking
  // a thread would take as long, and nothing beside a time slice of the
  // scheduler. Where several others wait for each CPU it is not worth that
  // (docs/performance.md has the measurements).
  const char* const turns = IsCrowded() ? "0" : "1000";
  if (setenv("GOMP_SPINCOUNT", turns, /*overwrite=*/0) != 0) return;
  execv("/proc/self/exe", const_cast<char* const*>(argv));
}

}  // namespace gsg
