#ifndef GSG_TRAINERS_OPTIM_MAKE_OPTIMIZER_H_
#define GSG_TRAINERS_OPTIM_MAKE_OPTIMIZER_H_

#include <memory>
#include <vector>

#include "trainers/optim/optimizer.h"
#include "trainers/optim/options.h"

namespace gsg {

// The optimizer of that name, a valid one. Never null.
std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerOptions& options,
                                         std::vector<ParameterGroup> groups);

}  // namespace gsg

#endif  // GSG_TRAINERS_OPTIM_MAKE_OPTIMIZER_H_
