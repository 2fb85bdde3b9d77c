// A list that may begin with a part of another list, which it does not copy: what a branch of history has in common
// with the line it left.
//
// Must stay true: lists only grow, so what was inherited never changes; the list inherited from outlives the heir.
#pragma once

#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace retrov {

template <class T>
class Chain {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;
    Iterator(const Chain& chain, std::size_t index) : chain_(&chain), index_(index) {}
    reference operator*() const { return (*chain_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const Chain* chain_;
    std::size_t index_;
  };

  Chain() = default;
  /// Begins with the first `count` of `from`.
  Chain(const Chain& from, std::size_t count) : from_(&from), inherited_(count) {}
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;

  [[nodiscard]] std::size_t size() const { return inherited_ + own_.size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  /// Valid until the list it stands in grows.
  [[nodiscard]] const T& operator[](std::size_t index) const {
    const Chain* chain = this;
    while (index < chain->inherited_) chain = chain->from_;
    return chain->own_[index - chain->inherited_];
  }
  [[nodiscard]] const T& back() const { return (*this)[size() - 1]; }
  [[nodiscard]] Iterator begin() const { return {*this, 0}; }
  [[nodiscard]] Iterator end() const { return {*this, size()}; }
  void push_back(T item) { own_.push_back(std::move(item)); }

 private:
  const Chain* from_ = nullptr;
  std::size_t inherited_ = 0;
  std::vector<T> own_;
};

}  // namespace retrov
