#include "bindings/array.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "dlpack/dlpack.h"
#include "pybind11/numpy.h"
#include "pybind11/pybind11.h"
#include "pybind11/stl.h"

namespace gsg {
namespace {

namespace py = pybind11;

std::string TypeOf(py::handle value) {
  return "a value of type " +
         py::cast<std::string>(py::type::of(value).attr("__name__"));
}

Array FromNumpy(const std::string& name, const py::array& array) {
  Array result;
  result.name = name;
  result.dtype = py::cast<std::string>(py::str(py::handle(array.dtype())));
  result.data = static_cast<char*>(const_cast<void*>(array.data()));
  result.itemsize = array.itemsize();
  result.shape.assign(array.shape(), array.shape() + array.ndim());
  result.strides.assign(array.strides(), array.strides() + array.ndim());
  result.writable = array.writeable();
  result.owner = array;
  return result;
}

std::string DtypeName(const DLDataType& type) {
  const auto kind = [&]() -> std::string {
    switch (type.code) {
      case kDLInt:
        return "int";
      case kDLUInt:
        return "uint";
      case kDLFloat:
        return "float";
      case kDLBfloat:
        return "bfloat";
      case kDLComplex:
        return "complex";
      default:
        return "DLPack type " + std::to_string(type.code) + ", bits ";
    }
  }();
  const std::string lanes =
      type.lanes == 1 ? "" : " x " + std::to_string(type.lanes);
  return kind + std::to_string(type.bits) + lanes;
}

// An exporter may copy from another device if it is asked for CPU memory: a
// transfer that the caller should see instead. So the device is asked first.
// The capsule keeps its name: it still owns the memory, and gives it up with
// its last reference.
Array FromDlpack(const std::string& name, py::handle value) {
  py::object capsule;
  int device = 0;
  try {
    const py::tuple pair = value.attr("__dlpack_device__")();
    device = py::cast<int>(py::int_(pair[0]));
    if (device == kDLCPU || device == kDLCUDAHost) {
      capsule = value.attr("__dlpack__")();
    }
  } catch (py::error_already_set& error) {
    // There is no one error for "cannot".
    const std::string why = py::cast<std::string>(py::str(error.value()));
    throw py::value_error(name + " has no DLPack view: " + why);
  }
  if (!capsule) {
    throw py::value_error(name + " is on DLPack device type " +
                          std::to_string(device) + "; it must be on the CPU");
  }
  auto* managed = static_cast<DLManagedTensor*>(
      PyCapsule_GetPointer(capsule.ptr(), "dltensor"));
  if (managed == nullptr) throw py::error_already_set();
  const DLTensor& tensor = managed->dl_tensor;
  Array result;
  result.name = name;
  result.dtype = DtypeName(tensor.dtype);
  result.data = static_cast<char*>(tensor.data) + tensor.byte_offset;
  result.itemsize = tensor.dtype.bits * tensor.dtype.lanes / 8;
  result.shape.assign(tensor.shape, tensor.shape + tensor.ndim);
  int64_t step = result.itemsize;
  result.strides.resize(tensor.ndim);
  for (int d = tensor.ndim - 1; d >= 0; --d) {
    result.strides[d] =
        tensor.strides != nullptr ? tensor.strides[d] * result.itemsize : step;
    step *= tensor.shape[d];
  }
  result.writable = true;  // this form of DLPack does not say
  result.owner = std::move(capsule);
  return result;
}

// Of gsg.torch, whose tensors are wrapped faster than by DLPack.
Array FromTuple(const std::string& name, const py::tuple& memory) {
  Array result;
  result.name = name;
  result.data =
      reinterpret_cast<char*>(py::cast<uintptr_t>(memory[0]));  // NOLINT
  result.dtype = py::cast<std::string>(memory[1]);
  result.itemsize = py::cast<int64_t>(memory[2]);
  result.shape = py::cast<std::vector<int64_t>>(memory[3]);
  result.strides = py::cast<std::vector<int64_t>>(memory[4]);
  for (int64_t& stride : result.strides) stride *= result.itemsize;
  result.writable = true;
  return result;
}

// Anyone else's tuple is no array.
bool IsMemory(py::handle value) {
  if (!py::isinstance<py::tuple>(value)) return false;
  const auto tuple = py::reinterpret_borrow<py::tuple>(value);
  return tuple.size() == 5 && py::isinstance<py::int_>(tuple[0]) &&
         py::isinstance<py::str>(tuple[1]);
}

py::object CopyMemory(int64_t bytes) {
  return py::array(py::dtype("uint8"), std::vector<py::ssize_t>{bytes});
}

bool IsAligned(const Array& array) {
  return reinterpret_cast<uintptr_t>(array.data) % array.itemsize == 0;
}

}  // namespace

Array ParseArray(const std::string& name, py::handle value) {
  if (IsMemory(value)) {
    return FromTuple(name, py::reinterpret_borrow<py::tuple>(value));
  }
  if (py::isinstance<py::array>(value)) {
    return FromNumpy(name, py::reinterpret_borrow<py::array>(value));
  }
  if (py::hasattr(value, "__dlpack__")) return FromDlpack(name, value);
  if (PyObject_CheckBuffer(value.ptr()) != 0) {
    // NumPy knows the buffer protocol's formats.
    const py::object asarray = py::module_::import("numpy").attr("asarray");
    return FromNumpy(
        name,
        asarray(py::memoryview(py::reinterpret_borrow<py::object>(value))));
  }
  throw py::type_error(name + " is " + TypeOf(value) +
                       ", without buffer protocol or __dlpack__; "
                       "numpy.asarray makes an array of many things");
}

bool IsImmutable(py::handle value) {
  if (py::isinstance<py::array>(value) || !py::hasattr(value, "__array__")) {
    return false;
  }
  try {
    const py::object asarray = py::module_::import("numpy").attr("asarray");
    return !py::cast<bool>(asarray(value).attr("flags").attr("writeable"));
  } catch (py::error_already_set&) {
    return false;  // a dtype that NumPy lacks: a torch tensor
  }
}

void CheckDtype(const Array& array, const std::vector<std::string>& dtypes) {
  if (std::find(dtypes.begin(), dtypes.end(), array.dtype) != dtypes.end()) {
    return;
  }
  std::string names;
  for (size_t i = 0; i < dtypes.size(); ++i) {
    if (i > 0) names += i + 1 < dtypes.size() ? ", " : " or ";
    names += dtypes[i];
  }
  throw py::type_error(array.name + " is " + array.dtype + "; it must be " +
                       names);
}

void CheckDimensions(const Array& array, size_t dimensions,
                     const std::string& form) {
  if (array.shape.size() == dimensions) return;
  const py::tuple shape = py::tuple(py::cast(array.shape));
  throw py::value_error(array.name + " has shape " +
                        py::cast<std::string>(py::repr(shape)) +
                        "; it must be " + form);
}

bool HasPlainRows(const Array& array) {
  const int64_t rows = array.shape[0], cols = array.shape[1];
  const int64_t row_stride = array.strides[0];
  return IsAligned(array) &&
         (cols <= 1 || array.strides[1] == array.itemsize) &&
         (rows <= 1 || (row_stride >= cols * array.itemsize &&
                        row_stride % array.itemsize == 0));
}

Array PlainRows(Array array) {
  if (HasPlainRows(array)) return array;
  const int64_t rows = array.shape[0], cols = array.shape[1];
  const int64_t item = array.itemsize;
  py::object owner = CopyMemory(rows * cols * item);
  char* copy = static_cast<char*>(py::cast<py::array>(owner).mutable_data());
  for (int64_t i = 0; i < rows; ++i) {
    const char* row = array.data + i * array.strides[0];
    for (int64_t c = 0; c < cols; ++c) {
      std::memcpy(copy + (i * cols + c) * item, row + c * array.strides[1],
                  item);
    }
  }
  array.data = copy;
  array.strides = {cols * item, item};
  array.owner = std::move(owner);
  return array;
}

Array PlainElements(Array array) {
  const int64_t length = array.shape[0], stride = array.strides[0];
  // As one row.
  array.shape = {1, length};
  array.strides = {length * array.itemsize, stride};
  array = PlainRows(std::move(array));
  array.shape = {length};
  array.strides = {array.itemsize};
  return array;
}

}  // namespace gsg
