// Choices. The same seed makes the same ones on every host, if no expression makes two of which the compiler may choose
// the first.
#pragma once

#include <random>

#include "core/types.hpp"

namespace retrov::difftest {

class Random {
 public:
  explicit Random(u64 seed) : engine_(seed) {}
  u64 bits() { return engine_(); }
  u64 below(u64 count) { return engine_() % count; }
  bool one_in(u64 count) { return below(count) == 0; }
  template <class... Values>
  u64 of(Values... values) {
    const u64 all[] = {static_cast<u64>(values)...};
    return all[below(sizeof...(values))];
  }
  template <class List>
  const auto& from(const List& list) {
    return list[below(std::size(list))];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace retrov::difftest
