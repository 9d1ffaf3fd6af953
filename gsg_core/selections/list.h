// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_SELECTIONS_LIST_H_
#define GSG_GSG_CORE_SELECTIONS_LIST_H_

#include "gsg_core/config.h"
#include "gsg_core/internal/type_list.h"
#include "gsg_core/selections/margin.h"
#include "gsg_core/selections/max.h"
#include "gsg_core/selections/min.h"
#include "gsg_core/selections/none.h"
#include "gsg_core/selections/random.h"
#include "gsg_core/selections/soft.h"

// The selections. To add one: a file in this folder, its include above and its
// line here, at the end. The file declares a type with
//   kName: its name, also the value of --selection;
//   kUsesDistances: if false, Choose is given zeros and the distances of a row
//     are not computed;
//   Choose(d, parameters, row): from a row's four distances, in the order of
//     choice.h, and its number, a Choice.
#define GSG_SELECTIONS(SELECTION) \
  SELECTION(Min)                  \
  SELECTION(Max)                  \
  SELECTION(Random)               \
  SELECTION(None)                 \
  SELECTION(Soft)                 \
  SELECTION(Margin)

namespace gsg {
GSG_NAMESPACE_BEGIN

// An enumerator for each: kMin, kMax, ...
enum class Selection { GSG_SELECTIONS(GSG_ENUMERATOR) };

namespace selections {

using List = core_internal::TypeList<Selection GSG_SELECTIONS(GSG_TYPE)>;

}  // namespace selections
GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_SELECTIONS_LIST_H_
