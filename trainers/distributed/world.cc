#include "trainers/distributed/world.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>
#include <c10/util/Logging.h>
#include <c10/util/intrusive_ptr.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <torch/csrc/distributed/c10d/Work.hpp>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gsg_core/status_macros.h"
#include "trainers/distributed/environment.h"
#include "trainers/distributed/process_group.h"

namespace gsg {
namespace {

absl::string_view FirstLine(absl::string_view text) {
  return text.substr(0, text.find('\n'));
}

// c10d also logs what becomes an error here, with pages of stack. Whoever sets
// torch's own variable sees it all.
void QuietenC10d() {
  constexpr int kFatal = 3;
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) {
    FLAGS_caffe2_log_level = kFatal;
  }
}

// [size] bytes, of which `text` is the first ones.
at::Tensor Bytes(const std::string& text, int64_t size) {
  const at::Tensor bytes = at::empty({size}, c10::kByte);
  // Not memcpy, which may not be given the null pointer of an empty tensor.
  std::copy(text.begin(), text.end(),
            static_cast<char*>(bytes.mutable_data_ptr()));
  return bytes;
}

std::string Text(const at::Tensor& bytes, int64_t size) {
  return std::string(static_cast<const char*>(bytes.const_data_ptr()), size);
}

}  // namespace

struct World::Connections {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::ProcessGroup> group;
};

World::World() : World(Placement(), absl::InfiniteDuration()) {}

World::World(const Placement& placement, absl::Duration timeout)
    : placement_(placement),
      timeout_(timeout),
      connections_(std::make_unique<Connections>()) {}

World::~World() = default;

absl::StatusOr<std::unique_ptr<World>> World::Join(const Placement& placement,
                                                   absl::Duration timeout) {
  auto world = absl::WrapUnique(new World(placement, timeout));
  if (placement.size == 1) return world;
  QuietenC10d();
  Connections& connections = *world->connections_;
  try {
    connections.store = ConnectStore(placement, timeout);
    connections.group = ConnectProcesses(placement, connections.store, timeout);
  } catch (const std::exception& e) {
    return absl::UnavailableError(absl::StrCat(
        "rank ", placement.rank, " did not find the other ", placement.size - 1,
        " processes of the run through ", placement.master_address, ":",
        placement.master_port, " (MASTER_ADDR, MASTER_PORT) within ",
        absl::FormatDuration(timeout),
        " (--dist_timeout): ", FirstLine(e.what())));
  }
  return world;
}

absl::Status World::UseDevice(c10::Device device) {
  if (size() == 1 || !device.is_cuda()) return absl::OkStatus();
  return Try(
      [&] { AddCuda(connections_->store, timeout_, *connections_->group); });
}

World::Range World::Part(int64_t count) const {
  return {count * rank() / size(), count * (rank() + 1) / size()};
}

absl::Status World::Lost(const char* what) const {
  return absl::UnavailableError(absl::StrCat(
      "rank ", rank(), " of ", size(),
      " lost contact with another process of the run, which ended or was "
      "silent for ",
      absl::FormatDuration(timeout_), " (--dist_timeout): ", FirstLine(what)));
}

absl::Status World::Try(absl::FunctionRef<void()> body) {
  if (size() == 1) {
    body();
    return absl::OkStatus();
  }
  try {
    body();
  } catch (const std::exception& e) {
    return Lost(e.what());
  }
  return absl::OkStatus();
}

absl::Status World::Agree(const absl::Status& mine) {
  std::vector<double> nothing;
  return AgreeAndSum(mine, &nothing);
}

absl::Status World::AgreeAndSum(const absl::Status& mine,
                                std::vector<double>* values) {
  if (size() == 1) return mine;
  // Behind the values, which rank fails.
  std::vector<double> all = *values;
  all.resize(values->size() + size());
  if (!mine.ok()) all[values->size() + rank()] = 1;
  const absl::Status status = Try([&] {
    std::vector<at::Tensor> tensors = {at::from_blob(
        all.data(), {static_cast<int64_t>(all.size())}, c10::kDouble)};
    connections_->group->allreduce(tensors)->wait();
  });
  if (!status.ok()) return mine.ok() ? status : mine;
  const auto failed = all.begin() + values->size();
  const int first = std::find(failed, all.end(), 1.0) - failed;
  if (first == rank()) return mine;
  if (first < size()) {
    return absl::AbortedError("another process of the run fails and says why");
  }
  std::copy_n(all.begin(), values->size(), values->begin());
  return absl::OkStatus();
}

absl::StatusOr<std::string> World::FromRoot(
    const absl::StatusOr<std::string>& text) {
  if (size() == 1) return text;
  const absl::Status mine = root() ? text.status() : absl::OkStatus();
  GSG_RETURN_IF_ERROR(Agree(mine));
  std::string result;
  absl::Status status = Try([&] {
    std::vector<at::Tensor> length = {
        at::tensor(root() ? static_cast<int64_t>(text->size()) : 0)};
    connections_->group->broadcast(length)->wait();
    const int64_t size = length[0].item<int64_t>();
    std::vector<at::Tensor> bytes = {root() ? Bytes(*text, size)
                                            : at::empty({size}, c10::kByte)};
    if (size > 0) connections_->group->broadcast(bytes)->wait();
    result = Text(bytes[0], size);
  });
  if (!status.ok()) return status;
  return result;
}

absl::StatusOr<std::vector<std::string>> World::Exchange(
    const std::string& text) {
  if (size() == 1) return std::vector<std::string>{text};
  std::vector<std::string> result;
  absl::Status status = Try([&] {
    const at::Tensor lengths =
        AllGather(at::tensor({static_cast<int64_t>(text.size())}));
    const at::Tensor mine = Bytes(text, lengths.max().item<int64_t>());
    const at::Tensor all =
        mine.numel() > 0 ? AllGather(mine) : at::empty({size(), 0}, c10::kByte);
    for (int r = 0; r < size(); ++r) {
      result.push_back(Text(all[r], lengths[r].item<int64_t>()));
    }
  });
  if (!status.ok()) return status;
  return result;
}

absl::Status World::CopyFromRoot(const std::vector<at::Tensor>& tensors) {
  if (size() == 1) return absl::OkStatus();
  return Try([&] {
    for (const at::Tensor& tensor : tensors) {
      // Parameters may be channels-last, and Gloo takes what is contiguous.
      const at::Tensor plain = tensor.detach().contiguous();
      std::vector<at::Tensor> message = {plain};
      connections_->group->broadcast(message)->wait();
      tensor.detach().copy_(plain);
    }
  });
}

absl::StatusOr<at::Tensor> World::GatherAtRoot(const at::Tensor& rows) {
  if (size() == 1) return rows;
  constexpr int kTag = 1;
  at::Tensor result;
  absl::Status status = Try([&] {
    const at::Tensor counts = AllGather(at::tensor({rows.size(0)}));
    if (!root()) {
      std::vector<at::Tensor> message = {rows.contiguous()};
      if (rows.numel() > 0) {
        connections_->group->send(message, /*dstRank=*/0, kTag)->wait();
      }
      return;
    }
    std::vector<int64_t> sizes = rows.sizes().vec();
    sizes[0] = counts.sum().item<int64_t>();
    result = at::empty(sizes, rows.options());
    int64_t begin = rows.size(0);
    result.narrow(0, 0, begin).copy_(rows);
    for (int r = 1; r < size(); ++r) {
      const int64_t count = counts[r].item<int64_t>();
      std::vector<at::Tensor> message = {result.narrow(0, begin, count)};
      begin += count;
      if (message[0].numel() > 0) {
        connections_->group->recv(message, /*srcRank=*/r, kTag)->wait();
      }
    }
  });
  if (!status.ok()) return status;
  return result;
}

at::Tensor World::AllGather(const at::Tensor& mine) const {
  if (size() == 1) return mine.unsqueeze(0);
  std::vector<int64_t> sizes = mine.sizes().vec();
  sizes.insert(sizes.begin(), size());
  at::Tensor all = at::empty(sizes, mine.options());
  at::Tensor message = mine.contiguous().unsqueeze(0);
  connections_->group->_allgather_base(all, message)->wait();
  return all;
}

absl::Status World::WaitForRoot() {
  if (size() == 1) return absl::OkStatus();
  const std::string key = absl::StrCat("root/", waits_++);
  return Try([&] {
    if (root()) {
      connections_->store->set(key, std::vector<uint8_t>{1});
      return;
    }
    // The store is in the root's process or torchrun's: if that ends, so does
    // this, in an exception.
    absl::Duration pause = absl::Milliseconds(1);
    while (!connections_->store->check({key})) {
      absl::SleepFor(pause);
      pause = std::min(2 * pause, absl::Milliseconds(100));
    }
  });
}

bool World::SpeaksOfLoss() {
  if (placement_.launcher != 0) return false;
  if (connections_->store == nullptr) return true;
  try {
    return connections_->store->add("spoken", 1) == 1;
  } catch (const std::exception&) {
    return true;
  }
}

const c10::intrusive_ptr<c10d::ProcessGroup>& World::process_group() const {
  return connections_->group;
}

}  // namespace gsg
