#include "bindings/xla_arguments.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gsg_core/status_macros.h"
#include "xla/ffi/api/ffi.h"

namespace gsg::xla_arguments {
namespace {

namespace ffi = xla::ffi;

template <typename T>
std::vector<int64_t> Widened(const void* values, size_t count) {
  const T* const first = static_cast<const T*>(values);
  return {first, first + count};
}

const ffi::AnyBuffer& BufferOf(const ffi::AnyBuffer& argument) {
  return argument;
}

ffi::AnyBuffer BufferOf(ffi::Result<ffi::AnyBuffer> result) { return *result; }

// Remaining: arguments, or results.
template <typename Remaining>
absl::StatusOr<Buffers> BuffersOf(const Remaining& remaining) {
  Buffers buffers;
  for (size_t k = 0; k < remaining.size(); ++k) {
    const auto buffer = remaining.template get<ffi::AnyBuffer>(k);
    if (!buffer.has_value()) {
      return absl::InvalidArgumentError(buffer.error().message());
    }
    buffers.push_back(BufferOf(*buffer));
  }
  return buffers;
}

}  // namespace

ffi::Error ToError(const absl::Status& status) {
  if (status.ok()) return ffi::Error::Success();
  const std::string message(status.message());
  if (absl::IsInternal(status)) return ffi::Error::Internal(message);
  return ffi::Error::InvalidArgument(message);
}

absl::StatusOr<Buffers> ToBuffers(const ffi::RemainingArgs& args) {
  return BuffersOf(args);
}

absl::StatusOr<Buffers> ToBuffers(const ffi::RemainingRets& rets) {
  return BuffersOf(rets);
}

absl::Status CheckMatrices(absl::Span<const ffi::AnyBuffer> matrices) {
  for (const ffi::AnyBuffer& matrix : matrices) {
    if (matrix.dimensions().size() != 2) {
      return absl::InvalidArgumentError("views must be [N, D]");
    }
    if (matrix.element_type() != matrices[0].element_type()) {
      return absl::InvalidArgumentError("views must be of one dtype");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<int64_t>> ToPairing(ffi::DataType type,
                                               const void* values,
                                               size_t count) {
  switch (type) {
    case ffi::S8:
      return Widened<int8_t>(values, count);
    case ffi::S16:
      return Widened<int16_t>(values, count);
    case ffi::S32:
      return Widened<int32_t>(values, count);
    case ffi::S64:
      return Widened<int64_t>(values, count);
    case ffi::U8:
      return Widened<uint8_t>(values, count);
    case ffi::U16:
      return Widened<uint16_t>(values, count);
    case ffi::U32:
      return Widened<uint32_t>(values, count);
    case ffi::U64:  // what is out of int64's range becomes negative: an error
      return Widened<uint64_t>(values, count);
    default:
      return absl::InvalidArgumentError("pairing must be integers");
  }
}

absl::Status CheckSeed(const ffi::AnyBuffer& seed) {
  if (seed.element_type() != ffi::U32 || seed.element_count() != kSeedWords) {
    return absl::InvalidArgumentError("the seed must be uint32 [3]");
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> ToSeed(const uint32_t* words) {
  if (words[2] != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("seed is negative; it must be in 0..", UINT64_MAX));
  }
  return uint64_t{words[1]} << 32 | words[0];
}

absl::StatusOr<LossCall> ToLossCall(int64_t projections, bool paired,
                                    const ffi::RemainingArgs& args,
                                    const ffi::RemainingRets& rets) {
  GSG_ASSIGN_OR_RETURN(const Buffers inputs, ToBuffers(args));
  GSG_ASSIGN_OR_RETURN(const Buffers results, ToBuffers(rets));
  const size_t before = paired ? 2 : 1;
  const size_t count = static_cast<size_t>(projections);
  if ((count != 2 && count != 4) || inputs.size() < before + 2 * count ||
      (count == 4 && (paired || inputs.size() != before + 8)) ||
      results.empty()) {
    return absl::InvalidArgumentError(
        "arguments are seed, pairing, projections, predictions");
  }
  GSG_RETURN_IF_ERROR(CheckSeed(inputs[0]));
  const auto views = absl::MakeConstSpan(inputs).subspan(before);
  GSG_RETURN_IF_ERROR(CheckMatrices(views));
  LossCall call = {inputs[0],
                   {},
                   {views.begin(), views.begin() + count},
                   {views.begin() + count, views.end()},
                   {results.begin() + 1, results.end()},
                   results[0]};
  if (paired) call.pairing = inputs[1];
  if (!call.grads.empty() && call.grads.size() != call.p.size()) {
    return absl::InvalidArgumentError("there is a gradient of each prediction");
  }
  return call;
}

}  // namespace gsg::xla_arguments
