#ifndef GSG_TRAINERS_OPTIM_MAKE_OPTIMIZER_H_
#define GSG_TRAINERS_OPTIM_MAKE_OPTIMIZER_H_

#include <memory>
#include <vector>

#include "trainers/config/config.h"
#include "trainers/optim/optimizer.h"

namespace gsg {

// The optimiser that `config`, a valid one, names. Never null.
std::unique_ptr<Optimizer> MakeOptimizer(const Config& config,
                                         std::vector<ParameterGroup> groups);

}  // namespace gsg

#endif  // GSG_TRAINERS_OPTIM_MAKE_OPTIMIZER_H_
