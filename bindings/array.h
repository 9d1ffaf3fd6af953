// Arguments of gsg as memory: what NumPy arrays, DLPack exporters, buffers and
// gsg.torch hand over. Nothing is copied here but by PlainRows.

#ifndef GSG_BINDINGS_ARRAY_H_
#define GSG_BINDINGS_ARRAY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "pybind11/pybind11.h"

namespace gsg {

// An n-dimensional array in memory that `owner` keeps alive.
struct Array {
  std::string name;   // the argument's, in errors
  std::string dtype;  // as NumPy spells it: "float32", "bfloat16", ">f4"
  char* data = nullptr;
  int64_t itemsize = 0;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // in bytes
  bool writable = false;
  pybind11::object owner;
};

// The array that `value` is, in the order of trying: a NumPy array; an exporter
// of DLPack (__dlpack__) on the CPU; anything with the buffer protocol; and,
// for gsg.torch, a tuple (address, dtype, item size, shape, strides in
// elements), whose memory the caller keeps. TypeError if it is none of these,
// ValueError if it is on another device or refuses to export.
Array ParseArray(const std::string& name, pybind11::handle value);

// Whether NumPy is shown the memory read-only, as JAX does, whose arrays never
// change. This form of DLPack does not say so.
bool IsImmutable(pybind11::handle value);

// TypeError unless the dtype is one of `dtypes`.
void CheckDtype(const Array& array, const std::vector<std::string>& dtypes);

// ValueError unless the array has `dimensions` dimensions; `form` is what the
// message asks for: "[N, D]".
void CheckDimensions(const Array& array, size_t dimensions,
                     const std::string& form);

// Whether an array of two dimensions is rows as gsg_core has them: aligned,
// elements of a row next to each other, rows whole elements apart, forwards.
bool HasPlainRows(const Array& array);

// The array, or a copy of it in C order if it does not have plain rows.
Array PlainRows(Array array);

// The same of one dimension: elements next to each other.
Array PlainElements(Array array);

}  // namespace gsg

#endif  // GSG_BINDINGS_ARRAY_H_
