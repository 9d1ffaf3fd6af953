#include "trainers/image/unicode_form.h"

#include <utf8proc.h>

#include <cstddef>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"

namespace gsg {

std::string Decomposed(absl::string_view name) {
  utf8proc_uint8_t* result = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(name.data()),
      static_cast<utf8proc_ssize_t>(name.size()), &result,
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE));
  if (size < 0) return std::string(name);
  std::string decomposed(reinterpret_cast<const char*>(result),
                         static_cast<size_t>(size));
  std::free(result);
  return decomposed;
}

}  // namespace gsg
