// SPDX-License-Identifier: Apache-2.0
#ifndef GSG_GSG_CORE_SEQUENCE_H_
#define GSG_GSG_CORE_SEQUENCE_H_

#include <cstddef>
#include <initializer_list>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "gsg_core/config.h"

namespace gsg {
GSG_NAMESPACE_BEGIN

// Elements of an argument that may be given by name or as a temporary: of a
// vector or array with a name it is a view, which must not outlive it; a
// temporary vector and a list in braces it keeps. So
//
//   SharedViews<float> views{p1, p2, z1, z2, *CyclicPairing(n, seed)};
//
// does not dangle. Spans, which own nothing, are views of what they view.
// Temporaries of other containers do not compile.
template <typename T>
class Sequence {
 public:
  Sequence() = default;
  Sequence(std::vector<T>&& elements)
      : owned_(std::move(elements)), view_(owned_) {}
  Sequence(std::initializer_list<T> elements)
      : owned_(elements), view_(owned_) {}
  template <typename U, typename = std::enable_if_t<std::is_convertible_v<
                            absl::Span<U>, absl::Span<const T>>>>
  Sequence(absl::Span<U> elements) : view_(elements) {}
  template <typename Container,
            typename = std::enable_if_t<
                !std::is_same_v<std::remove_const_t<Container>, Sequence> &&
                std::is_convertible_v<Container&, absl::Span<const T>>>>
  Sequence(Container& elements) : view_(elements) {}
  // Binds to temporaries, which the one above does not unless they are const.
  template <typename Container,
            typename = std::enable_if_t<
                !std::is_reference_v<Container> &&
                !std::is_same_v<std::remove_const_t<Container>, Sequence> &&
                std::is_convertible_v<Container&, absl::Span<const T>>>,
            typename = void>
  Sequence(Container&& elements) = delete;

  Sequence(const Sequence& other)
      : owned_(other.owned_), view_(other.Owns() ? owned_ : other.view_) {}
  Sequence(Sequence&& other) noexcept { *this = std::move(other); }
  Sequence& operator=(const Sequence& other) { return *this = Sequence(other); }
  Sequence& operator=(Sequence&& other) noexcept {
    const bool owns = other.Owns();
    const absl::Span<const T> view = other.view_;
    owned_ = std::move(other.owned_);
    view_ = owns ? absl::Span<const T>(owned_) : view;
    other.owned_.clear();
    other.view_ = {};
    return *this;
  }
  ~Sequence() = default;

  operator absl::Span<const T>() const { return view_; }
  const T* data() const { return view_.data(); }
  size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  const T& operator[](size_t i) const { return view_[i]; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size(); }

 private:
  bool Owns() const { return !owned_.empty() && view_.data() == owned_.data(); }

  std::vector<T> owned_;
  absl::Span<const T> view_;
};

GSG_NAMESPACE_END
}  // namespace gsg

#endif  // GSG_GSG_CORE_SEQUENCE_H_
