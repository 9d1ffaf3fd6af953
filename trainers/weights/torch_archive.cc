#include "trainers/weights/torch_archive.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/ScalarType.h>
#include <c10/core/Storage.h>
#include <caffe2/serialize/inline_container.h>
#include <caffe2/serialize/read_adapter_interface.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/weights/tensor_pickle.h"
#include "trainers/weights/zip_directory.h"

namespace gsg {
namespace {

// LibTorch's own adapter trusts the archive's offsets.
class ArchiveBytes : public caffe2::serialize::ReadAdapterInterface {
 public:
  explicit ArchiveBytes(absl::string_view bytes) : bytes_(bytes) {}

  size_t size() const override { return bytes_.size(); }

  size_t read(uint64_t position, void* out, size_t count,
              const char*) const override {
    if (position > bytes_.size()) return 0;
    const absl::string_view part = bytes_.substr(position, count);
    std::memcpy(out, part.data(), part.size());
    return part.size();
  }

 private:
  const absl::string_view bytes_;
};

absl::StatusOr<c10::ScalarType> ElementType(const std::string& storage_type) {
  static constexpr struct {
    const char* name;
    c10::ScalarType type;
  } kTypes[] = {
      {"FloatStorage", c10::kFloat}, {"DoubleStorage", c10::kDouble},
      {"HalfStorage", c10::kHalf},   {"BFloat16Storage", c10::kBFloat16},
      {"LongStorage", c10::kLong},   {"IntStorage", c10::kInt},
      {"ByteStorage", c10::kByte},   {"BoolStorage", c10::kBool}};
  for (const auto& known : kTypes) {
    if (storage_type == known.name) return known.type;
  }
  return absl::DataLossError(
      absl::StrCat("it has tensors of type ", storage_type));
}

// The tensors of an archive. Several can share a record, which is read once.
class TensorReader {
 public:
  // What is read altogether is at most `size`, the archive's own, so that a
  // small file does not fill the memory.
  TensorReader(caffe2::serialize::PyTorchStreamReader* archive, size_t size)
      : archive_(*archive), bytes_left_(size) {}

  absl::StatusOr<NamedTensors> Read(const TensorEntries& entries) {
    NamedTensors tensors;
    for (const auto& [name, entry] : entries) {
      GSG_ASSIGN_OR_RETURN(c10::ScalarType type,
                           ElementType(entry.storage_type));
      GSG_ASSIGN_OR_RETURN(at::Storage storage, Record(entry, type));
      tensors.emplace_back(
          name, at::empty({0}, type).set_(storage, entry.offset, entry.sizes,
                                          entry.strides));
    }
    return tensors;
  }

 private:
  absl::StatusOr<at::Storage> Record(const TensorEntry& entry,
                                     c10::ScalarType type) {
    const std::string name = absl::StrCat("data/", entry.record);
    auto known = records_.find(name);
    if (known == records_.end()) {
      const size_t size = archive_.getRecordSize(name);
      if (size > bytes_left_) {
        return absl::DataLossError("its tensors are larger than the file");
      }
      bytes_left_ -= size;
      auto [data, bytes] = archive_.getRecord(name);
      known = records_
                  .emplace(name, at::Storage(c10::Storage::use_byte_size_t(),
                                             bytes, std::move(data)))
                  .first;
    }
    const size_t element = c10::elementSize(type);
    const size_t bytes = known->second.nbytes();
    if (bytes % element != 0 ||
        bytes / element != static_cast<size_t>(entry.storage_size)) {
      return absl::DataLossError(
          absl::StrCat(name, " has ", bytes, " bytes, expected ",
                       entry.storage_size, " of ", element));
    }
    return known->second;
  }

  caffe2::serialize::PyTorchStreamReader& archive_;
  size_t bytes_left_;
  std::map<std::string, at::Storage> records_;
};

// May throw what LibTorch throws.
absl::StatusOr<TorchArchive> Read(absl::string_view zip) {
  // Its code is compressed, so that CheckZipDirectory would speak of that.
  if (absl::StrContains(zip, "/constants.pkl")) {
    return absl::InvalidArgumentError(
        "it is a program of TorchScript; save the module's state_dict() with "
        "torch.save instead");
  }
  GSG_RETURN_IF_ERROR(CheckZipDirectory(zip));
  caffe2::serialize::PyTorchStreamReader archive(
      std::make_shared<ArchiveBytes>(zip));
  if (archive.hasRecord("byteorder")) {
    const auto [order, size] = archive.getRecord("byteorder");
    if (absl::string_view(static_cast<const char*>(order.get()), size) !=
        "little") {
      return absl::InvalidArgumentError(
          "its numbers have the byte order of another kind of machine");
    }
  }
  const auto [index, size] = archive.getRecord("data.pkl");
  GSG_ASSIGN_OR_RETURN(TensorPickle pickle,
                       ParseTensorPickle(absl::string_view(
                           static_cast<const char*>(index.get()), size)));
  TorchArchive result;
  GSG_ASSIGN_OR_RETURN(result.tensors,
                       TensorReader(&archive, zip.size()).Read(pickle.tensors));
  result.texts = std::move(pickle.texts);
  return result;
}

}  // namespace

absl::StatusOr<TorchArchive> ReadTorchArchive(absl::string_view zip) {
  try {
    return Read(zip);
  } catch (const std::exception& e) {
    return absl::DataLossError(absl::string_view(e.what()).substr(0, 200));
  }
}

}  // namespace gsg
