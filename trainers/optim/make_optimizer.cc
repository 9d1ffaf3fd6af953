#include "trainers/optim/make_optimizer.h"

#include <memory>
#include <utility>
#include <vector>

#include "trainers/optim/adamw.h"
#include "trainers/optim/lars.h"
#include "trainers/optim/optimizer.h"
#include "trainers/optim/options.h"
#include "trainers/optim/sgd.h"

namespace gsg {

std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerOptions& options,
                                         std::vector<ParameterGroup> groups) {
  if (options.name == "adamw") {
    return std::make_unique<AdamW>(std::move(groups), options.adam_beta1,
                                   options.adam_beta2);
  }
  if (options.name == "lars") {
    return std::make_unique<Lars>(std::move(groups), options.momentum,
                                  options.lars_coefficient);
  }
  return std::make_unique<Sgd>(std::move(groups), options.momentum);
}

}  // namespace gsg
