#include "trainers/weights/tensor_pickle.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace gsg {
namespace {

// The instructions (Python's pickletools documents all).
enum Opcode : uint8_t {
  kMark = '(',
  kEmptyTuple = ')',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kBinBytes = 'B',       // 4 bytes of length, bytes
  kShortBinBytes = 'C',  // 1 byte of length, bytes
  kBinFloat = 'G',       // 8 bytes
  kBinInt = 'J',         // 4 bytes, signed
  kBinInt1 = 'K',        // 1 byte
  kBinInt2 = 'M',        // 2 bytes
  kNone = 'N',
  kBinPersId = 'Q',  // the tuple before names a storage
  kReduce = 'R',
  kBinString = 'T',       // 4 bytes of length, text
  kShortBinString = 'U',  // 1 byte of length, text
  kBinUnicode = 'X',      // 4 bytes of length, text
  kEmptyList = ']',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',  // two lines: module, name
  kDict = 'd',
  kAppends = 'e',
  kBinGet = 'h',      // 1 byte: what was remembered under this number
  kLongBinGet = 'j',  // 4 bytes
  kList = 'l',
  kBinPut = 'q',      // 1 byte: remember the last value under this number
  kLongBinPut = 'r',  // 4 bytes
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyDict = '}',
  kProto = 0x80,   // 1 byte
  kNewObj = 0x81,  // class and arguments
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kTrue = 0x88,
  kFalse = 0x89,
  kLong1 = 0x8a,            // a count, and so many bytes, signed
  kLong4 = 0x8b,            // the same with 4 bytes of count
  kShortBinUnicode = 0x8c,  // 1 byte of length, text
  kBinUnicode8 = 0x8d,      // 8 bytes of length, text
  kBinBytes8 = 0x8e,        // 8 bytes of length, bytes
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kNewObjEx = 0x92,  // class, arguments and named arguments
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,  // 8 bytes that say how long the next part is
};

// Dimensions of a tensor; PyTorch itself stops at 64.
constexpr size_t kMaxDimensions = 64;
// Characters of a name.
constexpr size_t kMaxName = 1024;
// Dictionaries within each other.
constexpr int kMaxDepth = 8;
// What all values may take. A checkpoint of ten thousand tensors with their
// momentum takes some 40 MB.
constexpr size_t kMostBytes = size_t{256} << 20;

struct Value {
  enum Kind : uint8_t {
    kOther,  // nothing that names or makes a tensor
    kInteger,
    kText,
    kName,      // "module name", what Python would look up
    kSequence,  // a tuple or list
    kDictionary,
    kStorage,  // text = type, children = {record}, integer = size
    kTensor,   // integer = number in tensors_
  };
  Kind kind = kOther;
  int64_t integer = 0;
  std::string text;
  // Numbers of other values; keys and values in turn.
  std::vector<uint32_t> children;
};

size_t BytesOf(const TensorEntry& tensor) {
  return sizeof(tensor) + tensor.storage_type.size() + tensor.record.size() +
         2 * tensor.sizes.size() * sizeof(int64_t);
}

// Without an overflow, whatever the numbers.
bool LiesWithinStorage(const TensorEntry& tensor) {
  if (tensor.sizes.size() != tensor.strides.size() || tensor.offset < 0 ||
      tensor.storage_size < 0 || tensor.offset > tensor.storage_size ||
      tensor.sizes.size() > kMaxDimensions) {
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

// Executes instruction after instruction. The first error stays; everything
// after it returns empty values and changes nothing.
class Machine {
 public:
  explicit Machine(absl::string_view bytes) : rest_(bytes), bytes_(bytes) {
    values_.resize(2);
    values_[kNothing].kind = Value::kOther;
    values_[kNoItems].kind = Value::kSequence;
  }

  absl::StatusOr<TensorPickle> Run() {
    if (Unsigned(1) != kProto || Unsigned(1) - 2 > 3) {
      Fail("not a pickle of protocol 2 to 5");
    }
    while (status_.ok() && !stopped_) Step();
    if (!status_.ok()) return status_;
    const Value& root = values_[stack_.back()];
    if (root.kind != Value::kDictionary) {
      return absl::DataLossError(
          "it holds no dictionary of tensors but an object of Python");
    }
    Collect(root, "", 0);
    if (!status_.ok()) return status_;
    return std::move(result_);
  }

 private:
  static constexpr uint32_t kNothing = 0;
  static constexpr uint32_t kNoItems = 1;  // the empty tuple

  void Fail(absl::string_view problem) {
    if (!status_.ok()) return;
    status_ = absl::DataLossError(absl::StrCat(
        "byte ", bytes_.size() - rest_.size(), " of its index: ", problem));
  }

  // Reading.

  absl::string_view Bytes(uint64_t count) {
    if (!status_.ok()) return {};
    if (rest_.size() < count) {
      Fail("it ends too early");
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

  int64_t Signed(size_t count) {
    if (count > 8) {
      Fail("an integer of more than 64 bits");
      return 0;
    }
    uint64_t value = Unsigned(count);
    const bool negative =
        count > 0 && count < 8 && value >> (8 * count - 1) != 0;
    if (negative) value |= ~uint64_t{0} << (8 * count);
    return static_cast<int64_t>(value);
  }

  absl::string_view Line() {
    if (!status_.ok()) return {};
    const size_t end = rest_.find('\n');
    if (end == absl::string_view::npos || end > kMaxName) {
      Fail("a name without an end");
      return {};
    }
    const absl::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return line;
  }

  // Memory. A few bytes of a pickle can repeat what is large, so that all that
  // is kept is counted.
  void Charge(size_t bytes) {
    if (bytes > bytes_left_) return Fail("too many values");
    bytes_left_ -= bytes;
  }

  // The stack.

  void Push(uint32_t number) {
    Charge(sizeof(number));
    if (status_.ok()) stack_.push_back(number);
  }

  // Returns the new value, to be filled in.
  Value& PushNew(Value::Kind kind) {
    Charge(sizeof(Value));
    if (!status_.ok()) {
      dropped_ = Value();
      return dropped_;
    }
    Push(static_cast<uint32_t>(values_.size()));
    values_.emplace_back();
    values_.back().kind = kind;
    return values_.back();
  }

  void PushText(absl::string_view text) {
    Charge(text.size());
    PushNew(Value::kText).text = std::string(text);
  }

  // How many values are on the stack above the last mark.
  size_t Above() const {
    return stack_.size() - (marks_.empty() ? 0 : marks_.back());
  }

  uint32_t Pop() {
    if (status_.ok() && Above() == 0) Fail("an operand is missing");
    if (!status_.ok()) return kNothing;
    const uint32_t number = stack_.back();
    stack_.pop_back();
    return number;
  }

  // The value on top, which stays there.
  Value& Top() {
    if (status_.ok() && Above() == 0) Fail("an operand is missing");
    if (!status_.ok()) {
      dropped_ = Value();
      return dropped_;
    }
    return values_[stack_.back()];
  }

  // What was pushed since the last mark.
  std::vector<uint32_t> PopToMark() {
    if (status_.ok() && marks_.empty()) Fail("a mark is missing");
    if (!status_.ok()) return {};
    Charge((stack_.size() - marks_.back()) * sizeof(uint32_t));
    std::vector<uint32_t> numbers(stack_.begin() + marks_.back(), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return numbers;
  }

  void PushSequence(std::vector<uint32_t> items) {
    PushNew(Value::kSequence).children = std::move(items);
  }

  void AddTo(Value::Kind kind, const std::vector<uint32_t>& items) {
    if (kind == Value::kDictionary && items.size() % 2 != 0) {
      return Fail("a key without a value");
    }
    Value& top = Top();
    // Of an object nobody asks for what it holds.
    if (top.kind != kind) return;
    Charge(items.size() * sizeof(uint32_t));
    top.children.insert(top.children.end(), items.begin(), items.end());
  }

  void Remember(uint64_t number) {
    if (status_.ok() && Above() == 0) Fail("nothing to remember");
    Charge(4 * sizeof(number));
    if (status_.ok()) memory_[number] = stack_.back();
  }

  void Recall(uint64_t number) {
    const auto found = memory_.find(number);
    if (found == memory_.end()) return Fail("nothing has this number");
    Push(found->second);
  }

  // What a call would return.

  std::optional<int64_t> IntegerOf(uint32_t number) const {
    const Value& value = values_[number];
    if (value.kind != Value::kInteger) return std::nullopt;
    return value.integer;
  }

  std::optional<std::vector<int64_t>> IntegersOf(uint32_t number) const {
    const Value& value = values_[number];
    if (value.kind != Value::kSequence ||
        value.children.size() > kMaxDimensions) {
      return std::nullopt;
    }
    std::vector<int64_t> integers;
    for (const uint32_t child : value.children) {
      const std::optional<int64_t> integer = IntegerOf(child);
      if (!integer.has_value()) return std::nullopt;
      integers.push_back(*integer);
    }
    return integers;
  }

  // ("storage", type, record, device, size)
  void PushStorage(const Value& id) {
    const std::vector<uint32_t>& parts = id.children;
    if (id.kind != Value::kSequence || parts.size() != 5 ||
        values_[parts[0]].text != "storage" ||
        values_[parts[1]].kind != Value::kName ||
        values_[parts[2]].kind != Value::kText ||
        !IntegerOf(parts[4]).has_value()) {
      return Fail("a storage that is not PyTorch's");
    }
    absl::string_view type = values_[parts[1]].text;
    if (!absl::ConsumePrefix(&type, "torch ") ||
        values_[parts[2]].text.size() > kMaxName) {
      return Fail("a storage that is not PyTorch's");
    }
    const uint32_t record = parts[2];
    const int64_t size = *IntegerOf(parts[4]);
    const std::string name(type);
    Value& storage = PushNew(Value::kStorage);
    storage.text = name;
    storage.integer = size;
    storage.children = {record};
  }

  // _rebuild_tensor_v2(storage, offset, sizes, strides, requires_grad, hooks)
  void PushTensor(const std::vector<uint32_t>& arguments) {
    if (arguments.size() < 4 || values_[arguments[0]].kind != Value::kStorage) {
      return Fail("a tensor without a storage");
    }
    const Value& storage = values_[arguments[0]];
    const std::optional<int64_t> offset = IntegerOf(arguments[1]);
    std::optional<std::vector<int64_t>> sizes = IntegersOf(arguments[2]);
    std::optional<std::vector<int64_t>> strides = IntegersOf(arguments[3]);
    if (!offset.has_value() || !sizes.has_value() || !strides.has_value()) {
      return Fail("a tensor whose shape is not of integers");
    }
    TensorEntry tensor;
    tensor.storage_type = storage.text;
    tensor.record = values_[storage.children[0]].text;
    tensor.storage_size = storage.integer;
    tensor.offset = *offset;
    tensor.sizes = *std::move(sizes);
    tensor.strides = *std::move(strides);
    if (!LiesWithinStorage(tensor)) {
      return Fail("a tensor that reaches beyond its storage");
    }
    Charge(BytesOf(tensor));
    tensors_.push_back(std::move(tensor));
    PushNew(Value::kTensor).integer = static_cast<int64_t>(tensors_.size()) - 1;
  }

  void Call(uint32_t callable, uint32_t arguments) {
    if (!status_.ok()) return;
    const std::string& name = values_[callable].text;
    const std::vector<uint32_t>& given = values_[arguments].children;
    if (values_[callable].kind != Value::kName) {
      PushNew(Value::kOther);
    } else if (name == "torch._utils _rebuild_tensor_v2") {
      PushTensor(given);
    } else if (absl::StartsWith(name, "torch._utils _rebuild_parameter") &&
               !given.empty()) {
      Push(given[0]);
    } else if (name == "collections OrderedDict" ||
               name == "collections defaultdict") {
      PushNew(Value::kDictionary);
      if (given.empty()) return;
      // Python 2 passed pairs.
      for (const uint32_t pair : values_[given[0]].children) {
        if (values_[pair].children.size() != 2) continue;
        AddTo(Value::kDictionary, values_[pair].children);
      }
    } else {
      PushNew(Value::kOther);
    }
  }

  void Step() {
    const auto code = static_cast<uint8_t>(Unsigned(1));
    if (!status_.ok()) return;
    switch (code) {
      case kProto:
        Bytes(1);
        return;
      case kFrame:
        Bytes(8);
        return;
      case kStop:
        if (!marks_.empty() || stack_.size() != 1) Fail("more than one value");
        if (!rest_.empty()) Fail("something is behind the end");
        stopped_ = true;
        return;

      case kNone:
      case kTrue:
      case kFalse:
        return Push(kNothing);
      case kBinFloat:
        Bytes(8);
        return Push(kNothing);
      case kBinBytes:
        Bytes(Unsigned(4));
        return Push(kNothing);
      case kShortBinBytes:
        Bytes(Unsigned(1));
        return Push(kNothing);
      case kBinBytes8:
        Bytes(Unsigned(8));
        return Push(kNothing);
      case kLong4:
        Bytes(Unsigned(4));
        return Push(kNothing);
      case kEmptySet:
        return Push(kNothing);
      case kFrozenSet:
        PopToMark();
        return Push(kNothing);
      case kAddItems:
        PopToMark();
        return;

      case kBinInt1:
        return PushInteger(static_cast<int64_t>(Unsigned(1)));
      case kBinInt2:
        return PushInteger(static_cast<int64_t>(Unsigned(2)));
      case kBinInt:
        return PushInteger(Signed(4));
      case kLong1:
        return PushInteger(Signed(Unsigned(1)));

      case kBinUnicode:
      case kBinString:
        return PushText(Bytes(Unsigned(4)));
      case kShortBinUnicode:
      case kShortBinString:
        return PushText(Bytes(Unsigned(1)));
      case kBinUnicode8:
        return PushText(Bytes(Unsigned(8)));

      case kGlobal: {
        const absl::string_view module = Line();
        const absl::string_view name = Line();
        return PushName(module, name);
      }
      case kStackGlobal: {
        const uint32_t name = Pop();
        const uint32_t module = Pop();
        return PushName(std::string(values_[module].text),
                        std::string(values_[name].text));
      }

      case kMark:
        Charge(sizeof(size_t));
        marks_.push_back(stack_.size());
        return;
      case kPop:
        // Of a mark, too.
        if (Above() == 0 && !marks_.empty()) {
          marks_.pop_back();
        } else {
          Pop();
        }
        return;
      case kPopMark:
        PopToMark();
        return;
      case kDup: {
        const uint32_t number = Pop();
        Push(number);
        return Push(number);
      }

      case kEmptyTuple:
        return Push(kNoItems);
      case kTuple:
        return PushSequence(PopToMark());
      case kTuple1:
        return PushSequence({Pop()});
      case kTuple2: {
        const uint32_t second = Pop();
        const uint32_t first = Pop();
        return PushSequence({first, second});
      }
      case kTuple3: {
        const uint32_t third = Pop();
        const uint32_t second = Pop();
        const uint32_t first = Pop();
        return PushSequence({first, second, third});
      }
      case kEmptyList:
        return PushSequence({});
      case kList:
        return PushSequence(PopToMark());
      case kAppend:
        return AddTo(Value::kSequence, {Pop()});
      case kAppends:
        return AddTo(Value::kSequence, PopToMark());

      case kEmptyDict:
        PushNew(Value::kDictionary);
        return;
      case kDict: {
        const std::vector<uint32_t> items = PopToMark();
        PushNew(Value::kDictionary);
        return AddTo(Value::kDictionary, items);
      }
      case kSetItem: {
        const uint32_t value = Pop();
        const uint32_t key = Pop();
        return AddTo(Value::kDictionary, {key, value});
      }
      case kSetItems:
        return AddTo(Value::kDictionary, PopToMark());

      case kBinPut:
        return Remember(Unsigned(1));
      case kLongBinPut:
        return Remember(Unsigned(4));
      case kMemoize:
        return Remember(memory_.size());
      case kBinGet:
        return Recall(Unsigned(1));
      case kLongBinGet:
        return Recall(Unsigned(4));

      case kBinPersId: {
        const uint32_t id = Pop();
        return PushStorage(values_[id]);
      }
      case kReduce:
      case kNewObj: {
        const uint32_t arguments = Pop();
        const uint32_t callable = Pop();
        return Call(callable, arguments);
      }
      case kNewObjEx:
        Pop();
        Pop();
        Pop();
        return Push(kNothing);
      case kBuild:  // an object's attributes
        Pop();
        Top();
        return;
      default:
        Fail(absl::StrCat("an unknown instruction, \"",
                          absl::CHexEscape(bytes_.substr(
                              bytes_.size() - rest_.size() - 1, 8)),
                          "\""));
    }
  }

  void PushInteger(int64_t integer) {
    PushNew(Value::kInteger).integer = integer;
  }

  void PushName(absl::string_view module, absl::string_view name) {
    PushNew(Value::kName).text = absl::StrCat(module, " ", name);
  }

  // What the dictionary holds, behind `prefix`.
  void Collect(const Value& dictionary, const std::string& prefix, int depth) {
    if (depth > kMaxDepth) return Fail("dictionaries are nested too deeply");
    for (size_t i = 0; i + 1 < dictionary.children.size(); i += 2) {
      // Dictionaries that hold each other are walked again and again.
      Charge(sizeof(Value));
      if (!status_.ok()) return;
      const Value& key = values_[dictionary.children[i]];
      const Value& value = values_[dictionary.children[i + 1]];
      std::string name = prefix;
      if (key.kind == Value::kText) {
        absl::StrAppend(&name, key.text);
      } else if (key.kind == Value::kInteger) {
        absl::StrAppend(&name, key.integer);
      } else {
        continue;
      }
      if (value.kind == Value::kText && depth == 0) {
        Charge(value.text.size());
        if (status_.ok()) result_.texts.emplace_back(name, value.text);
        continue;
      }
      if (value.kind != Value::kTensor && value.kind != Value::kDictionary) {
        continue;
      }
      if (name.size() > kMaxName) return Fail("a name is too long");
      Charge(name.size());
      if (value.kind == Value::kTensor) {
        Charge(BytesOf(tensors_[value.integer]));
        if (!status_.ok()) return;
        result_.tensors.emplace_back(name, tensors_[value.integer]);
      } else {
        Collect(value, absl::StrCat(name, "."), depth + 1);
      }
    }
  }

  absl::string_view rest_;
  const absl::string_view bytes_;
  // A deque: values stay where they are when others come.
  std::deque<Value> values_;
  std::vector<TensorEntry> tensors_;
  std::vector<uint32_t> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, uint32_t> memory_;
  Value dropped_;  // stands for what an error left out
  bool stopped_ = false;
  size_t bytes_left_ = kMostBytes;
  TensorPickle result_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<TensorPickle> ParseTensorPickle(absl::string_view pickle) {
  return Machine(pickle).Run();
}

}  // namespace gsg
