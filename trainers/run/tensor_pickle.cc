#include "trainers/run/tensor_pickle.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gsg {
namespace {

// The instructions of pickle protocol 2 that occur (Python's pickletools
// documents all).
enum Opcode : uint8_t {
  kBinInt = 'J',      // 4 bytes, signed
  kBinInt1 = 'K',     // 1 byte
  kBinInt2 = 'M',     // 2 bytes
  kLong1 = 0x8a,      // a count, and so many bytes, signed
  kBinUnicode = 'X',  // 4 bytes of length, text
  kBinGet = 'h',      // 1 byte: what was remembered under this number
  kLongBinGet = 'j',  // 4 bytes
  kBinPut = 'q',      // 1 byte: remember this value under this number
  kLongBinPut = 'r',  // 4 bytes
  kBinPersId = 'Q',   // the tuple before names a storage
  kEmptyDict = '}',
  kEmptyTuple = ')',
  kFalse = 0x89,
  kTrue = 0x88,
  kGlobal = 'c',  // two lines: module, name
  kMark = '(',
  kProto = 0x80,  // 1 byte
  kReduce = 'R',
  kSetItems = 'u',
  kStop = '.',
  kTuple = 't',
};

// Dimensions of a tensor; PyTorch itself stops at 64.
constexpr size_t kMaxDimensions = 64;

// Characters of a name. What is remembered can be repeated at the cost of two
// bytes, so that it must be short.
constexpr size_t kMaxName = 1024;

struct Storage {
  std::string type;
  std::string record;
  int64_t size = 0;
};

struct Global {
  std::string name;  // "module name"
};

struct Nameless {};  // what is not repeated

using Remembered = std::variant<std::string, Global, Storage, Nameless>;

// Reads instruction after instruction. The first error stays; everything
// after it returns empty values and changes nothing.
class Parser {
 public:
  explicit Parser(absl::string_view bytes) : rest_(bytes), bytes_(bytes) {}

  absl::StatusOr<CheckpointPickle> Parse() {
    CheckpointPickle result;
    Expect(kProto, "a pickle");
    if (Unsigned(1) != 2) Fail("protocol 2");
    std::set<std::string> seen;
    Dict([&](const std::string& key) {
      if (!seen.insert(key).second) Fail("each key once");
      if (key == "meta") {
        result.meta = String();
      } else if (key == "model") {
        result.model = Tensors();
      } else if (key == "optimizer") {
        result.optimizer = Tensors();
      } else {
        Fail("meta, model or optimizer");
      }
    });
    if (seen.size() != 3) Fail("meta, model and optimizer before");
    Expect(kStop, "the end");
    if (!rest_.empty()) Fail("nothing behind the end");
    if (!status_.ok()) return status_;
    return result;
  }

 private:
  void Fail(absl::string_view expected) {
    if (!status_.ok()) return;
    status_ = absl::DataLossError(absl::StrCat(
        "byte ", bytes_.size() - rest_.size(), " of its index: expected ",
        expected, ", found ",
        rest_.empty()
            ? "the end"
            : absl::StrCat("\"", absl::CHexEscape(rest_.substr(0, 8)), "\"")));
  }

  bool NextIs(Opcode code) const {
    return status_.ok() && !rest_.empty() &&
           static_cast<uint8_t>(rest_[0]) == code;
  }

  bool Accept(Opcode code) {
    if (!NextIs(code)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void Expect(Opcode code, absl::string_view what) {
    if (!Accept(code)) Fail(what);
  }

  absl::string_view Bytes(size_t count) {
    if (!status_.ok()) return {};
    if (rest_.size() < count) {
      Fail(absl::StrCat(count, " bytes"));
      return {};
    }
    const absl::string_view result = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return result;
  }

  // Little-endian.
  uint64_t Unsigned(size_t count) {
    uint64_t value = 0;
    const absl::string_view bytes = Bytes(count);
    for (size_t i = bytes.size(); i-- > 0;) {
      value = value << 8 | static_cast<uint8_t>(bytes[i]);
    }
    return value;
  }

  int64_t Integer() {
    if (Accept(kBinInt1)) return static_cast<int64_t>(Unsigned(1));
    if (Accept(kBinInt2)) return static_cast<int64_t>(Unsigned(2));
    if (Accept(kBinInt)) {
      return static_cast<int32_t>(static_cast<uint32_t>(Unsigned(4)));
    }
    if (Accept(kLong1)) {
      const uint64_t size = Unsigned(1);
      if (size <= 8) {
        uint64_t value = Unsigned(size);
        const bool negative =
            size > 0 && size < 8 && value >> (8 * size - 1) != 0;
        if (negative) value |= ~uint64_t{0} << (8 * size);
        return static_cast<int64_t>(value);
      }
    }
    Fail("an integer of 64 bits");
    return 0;
  }

  std::string Line() {
    if (!status_.ok()) return {};
    const size_t end = rest_.find('\n');
    if (end == absl::string_view::npos || end > kMaxName) {
      Fail("a line");
      return {};
    }
    std::string line(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return line;
  }

  // The operand of an instruction that comes with a short and a long one, if it
  // comes next.
  std::optional<uint64_t> NumberOf(Opcode with_short, Opcode with_long) {
    if (Accept(with_short)) return Unsigned(1);
    if (Accept(with_long)) return Unsigned(4);
    return std::nullopt;
  }

  // A writer may remember a value, under the next number.
  void MayRemember(Remembered value) {
    const std::optional<uint64_t> number = NumberOf(kBinPut, kLongBinPut);
    if (!number.has_value()) return;
    if (*number != memory_.size()) return Fail("numbers in their order");
    memory_.push_back(std::move(value));
  }

  // What is remembered, if that comes next and is a T.
  template <class T>
  const T* Recall() {
    const std::optional<uint64_t> number = NumberOf(kBinGet, kLongBinGet);
    if (!number.has_value()) return nullptr;
    const T* value =
        *number < memory_.size() ? std::get_if<T>(&memory_[*number]) : nullptr;
    if (value == nullptr) Fail("before this a number that is in use");
    return value;
  }

  std::string String() {
    if (const std::string* known = Recall<std::string>()) return *known;
    Expect(kBinUnicode, "a string");
    std::string text(Bytes(Unsigned(4)));
    MayRemember(text.size() <= kMaxName ? Remembered(text) : Nameless());
    return text;
  }

  std::string GlobalName() {
    if (const Global* known = Recall<Global>()) return known->name;
    Expect(kGlobal, "a name of PyTorch's");
    Global global;
    global.name = Line();
    absl::StrAppend(&global.name, " ", Line());
    MayRemember(global);
    return global.name;
  }

  void ExpectGlobal(absl::string_view name) {
    if (GlobalName() != name) Fail(absl::StrCat(name, " before"));
  }

  // {str: ...}; `value` reads each value.
  template <class Value>
  void Dict(const Value& value) {
    Expect(kEmptyDict, "a dictionary");
    if (Accept(kMark)) {
      while (status_.ok() && !NextIs(kSetItems)) value(String());
      Expect(kSetItems, "the dictionary's end");
    }
    MayRemember(Nameless());
  }

  TensorEntries Tensors() {
    TensorEntries entries;
    Dict(
        [&](const std::string& name) { entries.emplace_back(name, Tensor()); });
    return entries;
  }

  Storage ReadStorage() {
    if (const Storage* known = Recall<Storage>()) return *known;
    Storage storage;
    Expect(kMark, "a storage");
    if (String() != "storage") Fail("\"storage\" before");
    const std::string type = GlobalName();
    constexpr absl::string_view kModule = "torch ";
    if (type.compare(0, kModule.size(), kModule) != 0) {
      Fail("a storage of PyTorch before");
    } else {
      storage.type = type.substr(kModule.size());
    }
    storage.record = String();
    if (storage.record.size() > kMaxName) Fail("a shorter name before");
    String();  // its device: values are read to the CPU
    storage.size = Integer();
    Expect(kTuple, "the storage's end");
    Expect(kBinPersId, "the storage's mark");
    MayRemember(storage);
    return storage;
  }

  std::vector<int64_t> Integers() {
    std::vector<int64_t> values;
    if (Accept(kEmptyTuple)) return values;
    Expect(kMark, "a tuple");
    while (status_.ok() && !NextIs(kTuple)) {
      if (values.size() == kMaxDimensions) Fail("fewer dimensions");
      values.push_back(Integer());
    }
    Expect(kTuple, "the tuple's end");
    return values;
  }

  // torch._utils._rebuild_tensor_v2(storage, offset, sizes, strides,
  // requires_grad, OrderedDict())
  TensorEntry Tensor() {
    TensorEntry tensor;
    ExpectGlobal("torch._utils _rebuild_tensor_v2");
    Expect(kMark, "the tensor's parts");
    Storage storage = ReadStorage();
    tensor.storage_type = std::move(storage.type);
    tensor.record = std::move(storage.record);
    tensor.storage_size = storage.size;
    tensor.offset = Integer();
    tensor.sizes = Integers();
    tensor.strides = Integers();
    if (!Accept(kFalse)) Expect(kTrue, "whether it requires a gradient");
    ExpectGlobal("collections OrderedDict");
    Expect(kEmptyTuple, "no hooks");
    Expect(kReduce, "no hooks");
    Expect(kTuple, "the tensor's end");
    Expect(kReduce, "the tensor's end");
    MayRemember(Nameless());
    if (!Fits(tensor)) Fail("before this a tensor within its storage");
    return tensor;
  }

  // Without an overflow, whatever the numbers.
  static bool Fits(const TensorEntry& tensor) {
    if (tensor.sizes.size() != tensor.strides.size() || tensor.offset < 0 ||
        tensor.storage_size < 0 || tensor.offset > tensor.storage_size) {
      return false;
    }
    for (size_t d = 0; d < tensor.sizes.size(); ++d) {
      if (tensor.sizes[d] < 0 || tensor.strides[d] < 0) return false;
    }
    for (const int64_t size : tensor.sizes) {
      if (size == 0) return true;
    }
    int64_t elements = 1;
    int64_t left = tensor.storage_size - tensor.offset - 1;  // behind the first
    for (size_t d = 0; d < tensor.sizes.size(); ++d) {
      const int64_t size = tensor.sizes[d], stride = tensor.strides[d];
      if (elements > tensor.storage_size / size) return false;
      elements *= size;
      if (stride == 0) continue;
      if (size - 1 > left / stride) return false;
      left -= (size - 1) * stride;
    }
    return left >= 0;
  }

  absl::string_view rest_;
  const absl::string_view bytes_;
  std::vector<Remembered> memory_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<CheckpointPickle> ParseCheckpointPickle(
    absl::string_view pickle) {
  return Parser(pickle).Parse();
}

}  // namespace gsg
