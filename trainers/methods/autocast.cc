#include "trainers/methods/autocast.h"

#include <ATen/autocast_mode.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

namespace gsg {

Autocast::Autocast(bool on, c10::Device device)
    : on_(on), type_(device.type()) {
  if (!on_) return;
  at::autocast::set_autocast_dtype(type_, c10::kBFloat16);
  at::autocast::set_autocast_enabled(type_, true);
  at::autocast::increment_nesting();
}

Autocast::~Autocast() {
  if (!on_) return;
  // Rounded weights are of this step alone.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(type_, false);
}

}  // namespace gsg
