#include "trainers/run/checkpoint.h"

#include <ATen/core/Dict.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/ivalue.h>
#include <c10/core/ScalarType.h>
#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/serialization/pickler.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/sealed_file.h"
#include "trainers/weights/file_format.h"
#include "trainers/weights/torch_archive.h"

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

// The tensors whose names begin with `group` and a dot, without that.
NamedTensors Group(const TorchArchive& archive, absl::string_view group) {
  NamedTensors tensors;
  for (const auto& [name, tensor] : archive.tensors) {
    absl::string_view rest = name;
    if (absl::ConsumePrefix(&rest, group) && absl::ConsumePrefix(&rest, ".")) {
      tensors.emplace_back(std::string(rest), tensor);
    }
  }
  return tensors;
}

absl::StatusOr<Checkpoint> ReadCheckpoint(absl::string_view zip) {
  GSG_ASSIGN_OR_RETURN(TorchArchive archive, ReadTorchArchive(zip));
  if (archive.texts.size() != 1 || archive.texts[0].first != "meta") {
    return absl::DataLossError("expected one text, \"meta\"");
  }
  Checkpoint checkpoint;
  checkpoint.meta = std::move(archive.texts[0].second);
  checkpoint.model = Group(archive, "model");
  checkpoint.optimizer = Group(archive, "optimizer");
  if (checkpoint.model.size() + checkpoint.optimizer.size() !=
      archive.tensors.size()) {
    return absl::DataLossError(
        "expected tensors of \"model\" and \"optimizer\" alone");
  }
  return checkpoint;
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

  // Of a record: its header, which is filled up to 64 bytes, its name, and both
  // again in the archive's directory.
  constexpr size_t kRecord = 512;
  size_t size = kRecord + program.size() + kSealSize;
  for (const at::Tensor& tensor : pickler.tensorData()) {
    size += kRecord + tensor.storage().nbytes();
  }
  std::string zip;
  zip.reserve(size);
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

std::string OlderCheckpointPath(const std::string& folder, int64_t age) {
  return absl::StrCat(folder, "/checkpoint-previous",
                      age > 1 ? absl::StrCat("-", age) : "", ".pt");
}

std::string EpochCheckpointPath(const std::string& folder, int64_t epoch) {
  return absl::StrCat(folder, "/checkpoint-epoch-", epoch, ".pt");
}

std::string BestCheckpointPath(const std::string& folder) {
  return absl::StrCat(folder, "/checkpoint-best.pt");
}

std::string PickleCheckpoint(const Checkpoint& checkpoint) {
  c10::impl::GenericDict root(c10::StringType::get(), c10::AnyType::get());
  root.insert("meta", checkpoint.meta);
  root.insert("model", ToDict(checkpoint.model));
  root.insert("optimizer", ToDict(checkpoint.optimizer));
  return Pickle(root);
}

absl::Status SavePickled(const std::string& folder, std::string pickled,
                         int64_t keep) {
  GSG_RETURN_IF_ERROR(Seal(pickled));
  std::vector<std::string> older;
  for (int64_t age = 1; age < keep; ++age) {
    older.push_back(OlderCheckpointPath(folder, age));
  }
  return ReplaceKeepingOlder(LastCheckpointPath(folder), older, pickled);
}

absl::Status SaveStateDict(const std::string& path,
                           const NamedTensors& tensors) {
  NamedTensors contiguous;
  for (const auto& [name, tensor] : tensors) {
    contiguous.emplace_back(name, tensor.contiguous());
  }
  return WriteFileAtomically(path, Pickle(ToDict(contiguous)));
}

namespace {

// Says so if `bytes`, which have no seal, are a whole file of another program.
absl::Status NotOurs(absl::string_view bytes, const std::string& path) {
  const auto is = [&](absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is ", what, ", not a checkpoint of this program ",
                     "(checkpoint-last.pt in a run's folder)"));
  };
  if (bytes.size() < 22) return absl::OkStatus();
  constexpr absl::string_view kZipEnd("PK\5\6", 4);
  switch (FormatOf(bytes)) {
    case FileFormat::kZip:
      // A zip ends with its directory's end; after that come 18 bytes and a
      // comment.
      if (bytes.substr(bytes.size() - 22, 4) != kZipEnd) break;
      return is(
          "a file of torch.save or torch.jit.save, such as torchvision's "
          "weights");
    case FileFormat::kPickle:
      return is("a Python pickle, such as torch.save wrote before version 1.6");
    case FileFormat::kSafetensors:
      return is("a safetensors file");
    case FileFormat::kOther:
      break;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Checkpoint> LoadCheckpoint(const std::string& path) {
  GSG_ASSIGN_OR_RETURN(std::string zip, ReadFile(path));
  GSG_RETURN_IF_ERROR(NotOurs(zip, path));
  GSG_RETURN_IF_ERROR(Unseal(zip, path));
  // The bytes are those somebody sealed, but not necessarily this program.
  const auto strange = [&](absl::string_view why) {
    return absl::DataLossError(absl::StrCat(
        path, " is not a checkpoint of this program: ", why.substr(0, 200)));
  };
  absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(zip);
  if (!checkpoint.ok()) return strange(checkpoint.status().message());
  return checkpoint;
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
