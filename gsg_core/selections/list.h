#ifndef GSG_GSG_CORE_SELECTIONS_LIST_H_
#define GSG_GSG_CORE_SELECTIONS_LIST_H_

#include "gsg_core/internal/type_list.h"
#include "gsg_core/selections/margin.h"
#include "gsg_core/selections/max.h"
#include "gsg_core/selections/min.h"
#include "gsg_core/selections/none.h"
#include "gsg_core/selections/random.h"
#include "gsg_core/selections/soft.h"

namespace gsg::selections {

// A selection file declares
//   kValue, kName: its enumerator and name;
//   kUsesDistances: if false, Choose is given zeros and the distances of a row
//     are not computed;
//   Choose(d, parameters, row): from a row's four distances, in the order of
//     selection.h, and its number.
using List = internal::TypeList<Min,     //
                                Max,     //
                                Random,  //
                                None,    //
                                Soft,    //
                                Margin>;

}  // namespace gsg::selections

#endif  // GSG_GSG_CORE_SELECTIONS_LIST_H_
