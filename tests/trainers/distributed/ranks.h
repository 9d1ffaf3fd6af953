// Several ranks in one test, each a process of its own.

#ifndef GSG_TESTS_TRAINERS_DISTRIBUTED_RANKS_H_
#define GSG_TESTS_TRAINERS_DISTRIBUTED_RANKS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "trainers/distributed/world.h"

namespace gsg {

// What a rank came to.
struct RankOutcome {
  std::string text;  // what `body` returned
  int code = 0;      // its exit code; 128 + signal if one killed it
};

// Forks `size` processes, joins each to one world on loopback and returns what
// `body` returns there, by rank. This process must have no threads: call
// LibTorch in `body` alone. A rank that cannot join exits with code 99.
std::vector<RankOutcome> RunRanks(
    int size, const std::function<std::string(World&)>& body,
    absl::Duration timeout = absl::Seconds(60));

// The same for numbers; fails the test unless each rank ends well.
std::vector<std::vector<double>> NumbersOfRanks(
    int size, const std::function<std::vector<double>(World&)>& body);

}  // namespace gsg

#endif  // GSG_TESTS_TRAINERS_DISTRIBUTED_RANKS_H_
