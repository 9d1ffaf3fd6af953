#ifndef GSG_GSG_CORE_DISTANCES_LIST_H_
#define GSG_GSG_CORE_DISTANCES_LIST_H_

#include "gsg_core/distances/cosine.h"
#include "gsg_core/distances/euclidean.h"
#include "gsg_core/distances/squared_euclidean.h"
#include "gsg_core/internal/type_list.h"

namespace gsg::distances {

using List = internal::TypeList<Euclidean,         //
                                SquaredEuclidean,  //
                                Cosine>;

}  // namespace gsg::distances

#endif  // GSG_GSG_CORE_DISTANCES_LIST_H_
