#include "trainers/optim/make_optimizer.h"

#include <memory>
#include <utility>
#include <vector>

#include "trainers/config/config.h"
#include "trainers/optim/adamw.h"
#include "trainers/optim/lars.h"
#include "trainers/optim/optimizer.h"
#include "trainers/optim/sgd.h"

namespace gsg {

std::unique_ptr<Optimizer> MakeOptimizer(const Config& config,
                                         std::vector<ParameterGroup> groups) {
  if (config.optimizer == "adamw") {
    return std::make_unique<AdamW>(std::move(groups), config.adam_beta1,
                                   config.adam_beta2);
  }
  if (config.optimizer == "lars") {
    return std::make_unique<Lars>(std::move(groups), config.momentum,
                                  config.lars_coefficient);
  }
  return std::make_unique<Sgd>(std::move(groups), config.momentum);
}

}  // namespace gsg
