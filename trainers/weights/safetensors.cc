#include "trainers/weights/safetensors.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/json.h"
#include "trainers/weights/torch_archive.h"

namespace gsg {
namespace {

constexpr size_t kLengthBytes = 8;

constexpr struct {
  const char* name;
  c10::ScalarType type;
} kTypes[] = {{"F32", c10::kFloat},     {"F16", c10::kHalf},
              {"BF16", c10::kBFloat16}, {"F64", c10::kDouble},
              {"I64", c10::kLong},      {"I32", c10::kInt},
              {"I16", c10::kShort},     {"I8", c10::kChar},
              {"U8", c10::kByte},       {"BOOL", c10::kBool}};

absl::StatusOr<std::string> NameOf(c10::ScalarType type) {
  for (const auto& known : kTypes) {
    if (type == known.type) return known.name;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("safetensors has no type ", c10::toString(type)));
}

absl::StatusOr<c10::ScalarType> TypeNamed(const std::string& name) {
  for (const auto& known : kTypes) {
    if (name == known.name) return known.type;
  }
  return absl::DataLossError(absl::StrCat("has type ", name));
}

// May throw what the JSON library throws.
absl::StatusOr<at::Tensor> ReadTensor(const Json& entry,
                                      absl::string_view values) {
  GSG_ASSIGN_OR_RETURN(const c10::ScalarType type,
                       TypeNamed(entry.at("dtype").get<std::string>()));
  const int64_t begin = WholeNumberOf("begin", entry.at("data_offsets").at(0));
  const int64_t end = WholeNumberOf("end", entry.at("data_offsets").at(1));
  const auto size = static_cast<int64_t>(values.size());
  if (begin < 0 || end < begin || end > size) {
    return absl::DataLossError("lies beyond the end of the file");
  }
  int64_t bytes = c10::elementSize(type);
  bool empty = false;
  std::vector<int64_t> shape;
  for (const Json& side : entry.at("shape")) {
    shape.push_back(WholeNumberOf("shape", side));
    if (shape.back() < 0) return absl::DataLossError("has a negative shape");
    empty = empty || shape.back() == 0;
    // More than the file has, before the product can overflow.
    if (!empty && bytes > size / shape.back()) {
      return absl::DataLossError("is larger than the file");
    }
    bytes *= shape.back();
  }
  if (bytes != end - begin) {
    return absl::DataLossError(
        absl::StrCat("has ", end - begin, " bytes; its shape needs ", bytes));
  }
  at::Tensor tensor = at::empty(shape, type);
  std::memcpy(tensor.data_ptr(), values.data() + begin, bytes);
  return tensor;
}

}  // namespace

absl::StatusOr<NamedTensors> ReadSafetensors(absl::string_view bytes) {
  if (bytes.size() < kLengthBytes) {
    return absl::DataLossError("it is too short for a safetensors file");
  }
  uint64_t length = 0;
  for (size_t i = kLengthBytes; i-- > 0;) {
    length = length << 8 | static_cast<uint8_t>(bytes[i]);
  }
  if (length > bytes.size() - kLengthBytes) {
    return absl::DataLossError("its header is cut off");
  }
  GSG_ASSIGN_OR_RETURN(const Json header,
                       ParseJson(bytes.substr(kLengthBytes, length)));
  const absl::string_view values = bytes.substr(kLengthBytes + length);
  if (!header.is_object()) {
    return absl::DataLossError("its header is not a JSON object");
  }
  NamedTensors tensors;
  // Tensors may not overlap, or a small file would fill the memory.
  size_t left = values.size();
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    absl::StatusOr<at::Tensor> tensor = absl::DataLossError("");
    try {
      tensor = ReadTensor(entry, values);
    } catch (const std::exception& e) {
      tensor =
          absl::DataLossError(absl::StrCat("is not described: ", e.what()));
    }
    if (tensor.ok() && tensor->nbytes() > left) {
      tensor = absl::DataLossError("overlaps others");
    }
    if (!tensor.ok()) {
      return absl::DataLossError(
          absl::StrCat(name.substr(0, 100), " ", tensor.status().message()));
    }
    left -= tensor->nbytes();
    tensors.emplace_back(name, *std::move(tensor));
  }
  return tensors;
}

absl::StatusOr<std::string> WriteSafetensors(const NamedTensors& tensors) {
  Json header;
  header["__metadata__"]["format"] = "pt";
  int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors) {
    const int64_t size = tensor.numel() * tensor.element_size();
    GSG_ASSIGN_OR_RETURN(const std::string type, NameOf(tensor.scalar_type()));
    header[name] = {{"dtype", type},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {bytes, bytes + size}}};
    bytes += size;
  }
  std::string text = JsonText(header);
  // So that values lie at multiples of 8 in the file.
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');
  std::string file;
  file.reserve(kLengthBytes + text.size() + bytes);
  for (size_t k = 0; k < kLengthBytes; ++k) {
    file.push_back(static_cast<char>(text.size() >> (8 * k)));
  }
  file += text;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor values = tensor.cpu().contiguous();
    file.append(static_cast<const char*>(values.const_data_ptr()),
                values.nbytes());
  }
  return file;
}

}  // namespace gsg
