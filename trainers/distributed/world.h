// The processes that train one network together, and their communication.

#ifndef GSG_TRAINERS_DISTRIBUTED_WORLD_H_
#define GSG_TRAINERS_DISTRIBUTED_WORLD_H_

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/util/intrusive_ptr.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trainers/distributed/environment.h"

namespace c10d {
class ProcessGroup;
}  // namespace c10d

namespace gsg {

// All processes of a world ("ranks") make the same calls in the same order,
// each from its main thread. With one rank the calls do nothing and cost
// nothing, so that the training loop needs no special case.
//
// Errors of every call here: kUnavailable if another rank has ended, or has
// not made the call for the world's time-out. After it the world is lost.
class World {
 public:
  // One rank.
  World();

  // Finds the other ranks and connects to them.
  static absl::StatusOr<std::unique_ptr<World>> Join(const Placement& placement,
                                                     absl::Duration timeout);

  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  int rank() const { return placement_.rank; }
  int size() const { return placement_.size; }
  // Rank 0: it alone reads and writes the run's folder and shows its progress.
  bool root() const { return rank() == 0; }
  const Placement& placement() const { return placement_; }

  // For tensors on `device` from now on.
  absl::Status UseDevice(c10::Device device);

  // The part of `count` items, in order, that is this rank's: parts are
  // contiguous and differ in length by one at most.
  struct Range {
    int64_t begin, end;
  };
  Range Part(int64_t count) const;

  // Exchanges errors. OK if no rank has one. Otherwise the lowest rank with an
  // error gets it back and reports it, and all other ranks get kAborted.
  absl::Status Agree(const absl::Status& mine);

  // The same, and if all can go on, values[i] <- the sum of all ranks'
  // values[i].
  absl::Status AgreeAndSum(const absl::Status& mine,
                           std::vector<double>* values);

  // The root's text on every rank. If it is an error, kAborted on the others.
  absl::StatusOr<std::string> FromRoot(const absl::StatusOr<std::string>& text);

  // Every rank's text, by rank.
  absl::StatusOr<std::vector<std::string>> Exchange(const std::string& text);

  // The root's values in every rank's tensors.
  absl::Status CopyFromRoot(const std::vector<at::Tensor>& tensors);

  // Concatenates the ranks' rows [n_r, ...], on the CPU, in the order of ranks.
  // The result is on the root and undefined elsewhere. Rows have one shape and
  // type.
  absl::StatusOr<at::Tensor> GatherAtRoot(const at::Tensor& rows);

  // Every rank's tensor, of one shape and type, on its device: [size(), ...].
  // Throws an exception instead of returning an error, because it serves within
  // autograd: see Try.
  at::Tensor AllGather(const at::Tensor& mine) const;

  // Calls `body`, which may throw what a lost peer makes LibTorch throw, and
  // turns that into the error above. With one rank exceptions pass.
  absl::Status Try(absl::FunctionRef<void()> body);

  // The root returns at once. The other ranks return when the root has called
  // it, without a time-out: work of the root alone may take longer than that.
  absl::Status WaitForRoot();

  // Whether this rank reports a lost connection: one of the ranks that are
  // left, or none if the launcher reports it.
  bool SpeaksOfLoss();

  // Null for one rank.
  const c10::intrusive_ptr<c10d::ProcessGroup>& process_group() const;

 private:
  struct Connections;

  World(const Placement& placement, absl::Duration timeout);

  absl::Status Lost(const char* what) const;

  const Placement placement_;
  const absl::Duration timeout_;
  const std::unique_ptr<Connections> connections_;
  int64_t waits_ = 0;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_DISTRIBUTED_WORLD_H_
