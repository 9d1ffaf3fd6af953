#include "trainers/distributed/gradient_averager.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <torch/csrc/distributed/c10d/reducer.hpp>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "trainers/distributed/world.h"

namespace gsg {
namespace {

// DistributedDataParallel also regroups the buckets once, after the first step,
// in the order in which gradients came. Not here: with more than two ranks the
// order of a sum depends on a gradient's place in its bucket, so that the first
// step after --resume would not be bit for bit what it is without a stop.
std::unique_ptr<c10d::Reducer> MakeReducer(const World& world,
                                           std::vector<at::Tensor> parameters) {
  std::vector<std::vector<size_t>> buckets =
      std::get<0>(c10d::compute_bucket_assignment_by_size(
          parameters,
          {c10d::kDefaultFirstBucketBytes, c10d::kDefaultBucketBytesCap}));
  // The last parameters have their gradients first.
  std::reverse(buckets.begin(), buckets.end());
  std::vector<bool> sparse(parameters.size(), false);
  return std::make_unique<c10d::Reducer>(
      std::move(parameters), std::move(buckets), world.process_group(),
      std::move(sparse), c10d::kDefaultBucketBytesCap,
      /*find_unused_parameters=*/false, /*gradient_as_bucket_view=*/false,
      /*param_names=*/std::unordered_map<size_t, std::string>(),
      c10d::kDefaultFirstBucketBytes, /*skip_all_reduce_unused_params=*/false,
      /*use_python_reducer=*/false, /*bucket_bytes_cap_list=*/
      std::vector<int64_t>());
}

}  // namespace

GradientAverager::GradientAverager(const World& world,
                                   std::vector<at::Tensor> parameters)
    : reducer_(MakeReducer(world, std::move(parameters))) {}

GradientAverager::~GradientAverager() = default;

// Without outputs to look through for unused parameters: there are none.
void GradientAverager::BeforeBackward() { reducer_->prepare_for_backward({}); }

}  // namespace gsg
