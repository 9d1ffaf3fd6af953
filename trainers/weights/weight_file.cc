#include "trainers/weights/weight_file.h"

#include <sha256.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/sealed_file.h"
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

bool IsSafetensors(absl::string_view bytes) {
  // A length below 2^56, then JSON.
  return bytes.size() > 8 && bytes[7] == '\0' && bytes[8] == '{';
}

absl::StatusOr<NamedTensors> ReadTensors(absl::string_view bytes) {
  if (absl::StartsWith(bytes, "PK\3\4")) {
    GSG_ASSIGN_OR_RETURN(TorchArchive archive, ReadTorchArchive(bytes));
    return std::move(archive.tensors);
  }
  if (IsSafetensors(bytes)) return ReadSafetensors(bytes);
  // Protocol 2 begins so; then comes the tar format's magic number, or the
  // value.
  if (bytes.size() > 2 && bytes[0] == '\x80' && bytes[1] >= 2 &&
      bytes[1] <= 5) {
    return absl::InvalidArgumentError(
        "it is a pickle of torch.save before version 1.6; with a PyTorch that "
        "trusts it, torch.save(torch.load(file, weights_only=True), new_file) "
        "writes today's format");
  }
  return absl::InvalidArgumentError(
      "it is neither a file of torch.save nor a safetensors file");
}

}  // namespace

absl::StatusOr<WeightFile> ReadWeightFile(const std::string& path) {
  GSG_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  // A checkpoint of ours has a seal behind it.
  const absl::StatusOr<std::string> unsealed = Unseal(bytes, path);
  absl::StatusOr<NamedTensors> tensors =
      ReadTensors(unsealed.ok() ? *unsealed : bytes);
  absl::Status status = tensors.status();
  if (status.ok() && tensors->empty()) {
    status = absl::DataLossError("it has no tensors under a name");
  }
  if (!status.ok()) {
    return absl::Status(
        status.code(),
        absl::StrCat(path, " cannot be read as weights: ", status.message()));
  }
  WeightFile file;
  file.tensors = *std::move(tensors);
  file.sha256 = Sha256(bytes);
  return file;
}

}  // namespace gsg
