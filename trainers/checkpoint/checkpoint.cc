#include "trainers/checkpoint/checkpoint.h"

#include <ATen/core/Dict.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/ivalue.h>
#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/serialization/pickle.h>
#include <torch/csrc/jit/serialization/pickler.h>

#include <exception>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "trainers/checkpoint/sealed_file.h"

namespace gsg {
namespace {

using TensorDict = c10::Dict<std::string, at::Tensor>;

TensorDict ToDict(const NamedTensors& tensors) {
  TensorDict dict;
  for (const auto& [name, tensor] : tensors) {
    dict.insert(name, tensor.detach().cpu());
  }
  return dict;
}

NamedTensors FromValue(const c10::IValue& value) {
  NamedTensors tensors;
  for (const auto& entry : value.toGenericDict()) {
    tensors.emplace_back(entry.key().toStringRef(), entry.value().toTensor());
  }
  return tensors;
}

// The bytes that torch.save would write. torch::jit::pickle_save would do, but
// for the type tags it adds to dictionaries, which torch.load refuses unless it
// is told to trust the file.
std::string Pickle(const c10::IValue& value) {
  std::string program;
  torch::jit::Pickler pickler(
      [&program](const char* bytes, size_t size) {
        program.append(bytes, size);
      },
      /*tensor_table=*/nullptr, /*type_renamer=*/nullptr,
      /*memoized_class_types=*/nullptr, /*get_tensor_id=*/nullptr,
      /*tag_aggregates=*/false);
  pickler.protocol();
  pickler.pushIValue(value);
  pickler.stop();

  std::string zip;
  caffe2::serialize::PyTorchStreamWriter archive(
      [&zip](const void* bytes, size_t size) {
        zip.append(static_cast<const char*>(bytes), size);
        return size;
      });
  archive.writeRecord("data.pkl", program.data(), program.size());
  int64_t index = 0;
  for (const at::Tensor& tensor : pickler.tensorData()) {
    const at::Storage& storage = tensor.storage();
    archive.writeRecord(absl::StrCat("data/", index++), storage.data(),
                        storage.nbytes());
  }
  archive.writeEndOfFile();
  return zip;
}

std::string Describe(const at::Tensor& tensor) {
  return absl::StrCat(c10::toString(tensor.scalar_type()), "[",
                      absl::StrJoin(tensor.sizes(), ", "), "]");
}

}  // namespace

std::string LastCheckpointPath(const std::string& folder) {
  return absl::StrCat(folder, "/checkpoint-last.pt");
}

std::string PreviousCheckpointPath(const std::string& folder) {
  return absl::StrCat(folder, "/checkpoint-previous.pt");
}

absl::Status SaveCheckpoint(const std::string& folder,
                            const Checkpoint& checkpoint) {
  c10::impl::GenericDict root(c10::StringType::get(), c10::AnyType::get());
  root.insert("meta", checkpoint.meta);
  root.insert("model", ToDict(checkpoint.model));
  root.insert("optimizer", ToDict(checkpoint.optimizer));
  absl::StatusOr<std::string> sealed = Seal(Pickle(root));
  if (!sealed.ok()) return sealed.status();
  return ReplaceKeepingPrevious(LastCheckpointPath(folder),
                                PreviousCheckpointPath(folder), *sealed);
}

absl::Status SaveStateDict(const std::string& path,
                           const NamedTensors& tensors) {
  NamedTensors contiguous;
  for (const auto& [name, tensor] : tensors) {
    contiguous.emplace_back(name, tensor.contiguous());
  }
  return WriteFileAtomically(path, Pickle(ToDict(contiguous)));
}

absl::StatusOr<Checkpoint> LoadCheckpoint(const std::string& path) {
  absl::StatusOr<std::string> sealed = ReadFile(path);
  if (!sealed.ok()) return sealed.status();
  absl::StatusOr<std::string> zip = Unseal(*sealed, path);
  if (!zip.ok()) return zip.status();
  // The bytes are those somebody sealed, but not necessarily this program:
  // LibTorch reports what it does not expect by exceptions.
  try {
    const c10::IValue value =
        torch::jit::pickle_load(std::vector<char>(zip->begin(), zip->end()));
    const auto root = value.toGenericDict();
    return Checkpoint{root.at("meta").toStringRef(),
                      FromValue(root.at("model")),
                      FromValue(root.at("optimizer"))};
  } catch (const std::exception& e) {
    return absl::DataLossError(
        absl::StrCat(path, " is not a checkpoint of this program: ",
                     std::string(e.what()).substr(0, 200)));
  }
}

absl::Status CopyTensors(absl::string_view what, const NamedTensors& from,
                         const NamedTensors& to) {
  const std::map<std::string, at::Tensor> sources(from.begin(), from.end());
  for (const auto& [name, target] : to) {
    const auto source = sources.find(name);
    if (source == sources.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the checkpoint's ", what, " has no ", name));
    }
    if (source->second.sizes() != target.sizes() ||
        source->second.scalar_type() != target.scalar_type()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the checkpoint's ", what, " ", name, " is ",
          Describe(source->second), "; this run needs ", Describe(target)));
    }
  }
  if (sources.size() != to.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the checkpoint's ", what, " has ", sources.size(),
                     " tensors; this run has ", to.size()));
  }
  const at::NoGradGuard no_grad;
  for (const auto& [name, target] : to) {
    at::Tensor(target).copy_(sources.at(name));
  }
  return absl::OkStatus();
}

}  // namespace gsg
