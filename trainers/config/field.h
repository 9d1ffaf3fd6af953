#ifndef GSG_TRAINERS_CONFIG_FIELD_H_
#define GSG_TRAINERS_CONFIG_FIELD_H_

#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

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

}  // namespace gsg

#endif  // GSG_TRAINERS_CONFIG_FIELD_H_
