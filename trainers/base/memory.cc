#include "trainers/base/memory.h"

#include <exception>
#include <new>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gsg {
namespace {

// Of the payload that a full disk's status does not have.
constexpr absl::string_view kMark = "gsg/memory";

}  // namespace

absl::Status MemoryError(absl::string_view when) {
  absl::Status status = absl::ResourceExhaustedError(
      absl::StrCat("memory ran out", when.empty() ? "" : " ", when));
  status.SetPayload(kMark, absl::Cord());
  return status;
}

bool MemoryRanOut(const absl::Status& status) {
  return status.GetPayload(kMark).has_value();
}

absl::Status OrMemoryError(absl::FunctionRef<absl::Status()> work,
                           absl::string_view when) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return MemoryError(when);
  } catch (const std::exception& error) {
    // LibTorch's allocators say it in words. The last is oneDNN's, which
    // compiles a convolution into memory of its own.
    const absl::string_view what = error.what();
    if (absl::StrContains(what, "allocate memory") ||
        absl::StrContains(what, "out of memory") ||
        what == "could not create a primitive") {
      return MemoryError(when);
    }
    throw;
  }
}

}  // namespace gsg
