#ifndef GSG_TRAINERS_CONFIG_FIELD_H_
#define GSG_TRAINERS_CONFIG_FIELD_H_

#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "gsg_core/distance.h"
#include "gsg_core/pairing.h"
#include "gsg_core/selection.h"

namespace gsg {

// What --resume does with a field whose value differs from the saved run's.
enum class OnResume {
  kRefuse,  // The run would no longer be the one that was saved.
  kWarn,    // Same training, but not bit for bit.
  kRaise,   // As kWarn if it is higher now, else as kRefuse.
  kAllow,   // Where and how long to run; no effect on what is computed.
};

// What a field is called, what it means and which values it takes.
struct Field {
  absl::string_view name;   // The flag is --name, the JSON key "name".
  absl::string_view group;  // Heading in --help.
  absl::string_view help;
  std::vector<absl::string_view> allowed = {};  // Strings; empty = any.
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool above_min = false;  // Is `min` itself excluded?
  OnResume on_resume = OnResume::kRefuse;
  bool is_path = false;  // Relative to the user's working directory.
  bool is_kept = false;  // A path that must also be right elsewhere: absolute.
  bool is_list = false;  // Of paths, with commas between them.
  bool from_config = true;  // Does --config=FILE set it?

  Field OneOf(std::vector<absl::string_view> values) && {
    allowed = std::move(values);
    return std::move(*this);
  }
  Field AtLeast(double low) && {
    min = low;
    return std::move(*this);
  }
  Field Above(double low) && {
    min = low;
    above_min = true;
    return std::move(*this);
  }
  Field Between(double low, double high) && {
    min = low;
    max = high;
    return std::move(*this);
  }
  Field Path() && {
    is_path = true;
    return std::move(*this);
  }
  // Made absolute: others read it from a run's folder.
  Field KeptPath() && {
    is_path = true;
    is_kept = true;
    return std::move(*this);
  }
  Field List() && {
    is_list = true;
    return std::move(*this);
  }
  // Belongs to one invocation: --config=FILE does not bring it along.
  Field ThisInvocation() && {
    from_config = false;
    return std::move(*this);
  }
  Field Resume(OnResume what) && {
    on_resume = what;
    return std::move(*this);
  }
};

// Where a field's value is, by its type.
using FieldValue = std::variant<std::string*, bool*, int64_t*, double*,
                                Distance*, Selection*, PairingKind*>;

using FieldVisitor = absl::FunctionRef<void(FieldValue, const Field&)>;

// Calls visit(value, field) for each field of a struct of options, for which
// there is a
//   void ForEachField(Options& options, FieldVisitor visit);
// The value is an lvalue of `options`, const if that is.
template <class Options, class Visitor>
void VisitFields(Options&& options, Visitor&& visit) {
  using Type = std::remove_reference_t<Options>;
  ForEachField(const_cast<std::remove_const_t<Type>&>(options),
               [&](FieldValue value, const Field& field) {
                 std::visit(
                     [&](auto* pointer) {
                       if constexpr (std::is_const_v<Type>) {
                         visit(std::as_const(*pointer), field);
                       } else {
                         visit(*pointer, field);
                       }
                     },
                     value);
               });
}

}  // namespace gsg

#endif  // GSG_TRAINERS_CONFIG_FIELD_H_
