#include "trainers/weights/weight_file.h"

#include <sha256.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/sealed_file.h"
#include "trainers/weights/file_format.h"
#include "trainers/weights/safetensors.h"
#include "trainers/weights/torch_archive.h"

namespace gsg {
namespace {

std::string Sha256(absl::string_view bytes) {
  SHA2_CTX context;
  SHA256Init(&context);
  SHA256Update(&context, reinterpret_cast<const uint8_t*>(bytes.data()),
               bytes.size());
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256Final(digest, &context);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

absl::StatusOr<NamedTensors> ReadTensors(absl::string_view bytes) {
  switch (FormatOf(bytes)) {
    case FileFormat::kZip: {
      GSG_ASSIGN_OR_RETURN(TorchArchive archive, ReadTorchArchive(bytes));
      return std::move(archive.tensors);
    }
    case FileFormat::kSafetensors:
      return ReadSafetensors(bytes);
    case FileFormat::kPickle:
      return absl::InvalidArgumentError(
          "it is a pickle of torch.save before version 1.6; with a PyTorch "
          "that "
          "trusts it, torch.save(torch.load(file, weights_only=True), "
          "new_file) "
          "writes today's format");
    case FileFormat::kOther:
      break;
  }
  return absl::InvalidArgumentError(
      "it is neither a file of torch.save nor a safetensors file");
}

}  // namespace

absl::StatusOr<WeightFile> ReadWeightFile(const std::string& path) {
  GSG_ASSIGN_OR_RETURN(std::string bytes, ReadFile(path));
  WeightFile file;
  file.sha256 = Sha256(bytes);
  // Only a checkpoint of ours has a seal behind it.
  file.of_run = Unseal(bytes, path).ok();
  absl::StatusOr<NamedTensors> tensors = ReadTensors(bytes);
  absl::Status status = tensors.status();
  if (status.ok() && tensors->empty()) {
    status = absl::DataLossError("it has no tensors under a name");
  }
  if (!status.ok()) {
    return absl::Status(
        status.code(),
        absl::StrCat(path, " cannot be read as weights: ", status.message()));
  }
  file.tensors = *std::move(tensors);
  return file;
}

}  // namespace gsg
