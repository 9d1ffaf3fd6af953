#include "trainers/distributed/process_group.h"

#include <c10/core/DeviceType.h>
#include <c10/util/Exception.h>
#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "trainers/distributed/environment.h"

namespace gsg {
namespace {

using Gloo = c10d::ProcessGroupGloo;

std::chrono::milliseconds Milliseconds(absl::Duration duration) {
  return absl::ToChronoMilliseconds(duration);
}

}  // namespace

c10::intrusive_ptr<c10d::Store> ConnectStore(const Placement& placement,
                                             absl::Duration timeout) {
  c10d::TCPStoreOptions options;
  options.port = placement.master_port;
  options.isServer = placement.rank == 0 && !placement.agent_listens;
  options.waitWorkers = false;
  options.timeout = Milliseconds(timeout);
  if (placement.socket >= 0) options.masterListenFd = placement.socket;
  // torchrun's agent outlives a restart, and has keys of its own.
  return c10::make_intrusive<c10d::PrefixStore>(
      absl::StrCat("gsg/", placement.attempt),
      c10::make_intrusive<c10d::TCPStore>(placement.master_address, options));
}

c10::intrusive_ptr<c10d::ProcessGroup> ConnectProcesses(
    const Placement& placement, const c10::intrusive_ptr<c10d::Store>& store,
    absl::Duration timeout) {
  // Gloo writes to sockets whose other end may be gone. That is an error that we
  // report (EPIPE); by default it ends the process without a word.
  std::signal(SIGPIPE, SIG_IGN);
  const auto options = Gloo::Options::create(Milliseconds(timeout));
  // As torch.distributed chooses it. On one machine there is no need to ask
  // what the machine is called.
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  options->devices.push_back(
      placement.launcher != 0 ? Gloo::createDeviceForHostname("127.0.0.1")
      : interface != nullptr  ? Gloo::createDeviceForInterface(interface)
                              : Gloo::createDefaultDevice());
  const auto group = c10::make_intrusive<c10d::ProcessGroup>(
      store, placement.rank, placement.size);
  group->setBackend(c10::DeviceType::CPU, c10d::ProcessGroup::BackendType::GLOO,
                    c10::make_intrusive<Gloo>(
                        c10::make_intrusive<c10d::PrefixStore>("gloo", store),
                        placement.rank, placement.size, options));
  group->setDefaultBackend(c10d::ProcessGroup::BackendType::GLOO);
  return group;
}

#ifdef USE_C10D_NCCL

void AddCuda(const c10::intrusive_ptr<c10d::Store>& store,
             absl::Duration timeout, c10d::ProcessGroup& group) {
  const auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = Milliseconds(timeout);
  group.setBackend(c10::DeviceType::CUDA, c10d::ProcessGroup::BackendType::NCCL,
                   c10::make_intrusive<c10d::ProcessGroupNCCL>(
                       c10::make_intrusive<c10d::PrefixStore>("nccl", store),
                       group.getRank(), group.getSize(), options));
}

#else

void AddCuda(const c10::intrusive_ptr<c10d::Store>&, absl::Duration,
             c10d::ProcessGroup&) {
  TORCH_CHECK(false, "this program was built without --config=cuda");
}

#endif

}  // namespace gsg
