// What a stretch of history has touched: the RAM pages it wrote, and the translation roots it may have walked from. A
// search backwards may pass over a stretch only if these show that nothing watched was written in it; equal content
// shows nothing (A -> B -> A, stores of the same value).
//
// Must stay true: it may name too much, never too little. Not state: it depends on where snapshots were taken.
#pragma once

#include <algorithm>
#include <iterator>
#include <vector>

#include "core/types.hpp"

namespace retrov {

struct Touched {
  Position since;           ///< The stretch runs from here to the snapshot that carries this.
  bool ebreaks = false;     ///< An ebreak was executed, or stopped at.
  bool everything = false;  ///< A reset lies in it.
  std::vector<u32> pages;   ///< RAM pages, ascending, without doubles.
  std::vector<u64> satps;   ///< Values of satp that some hart had, in any order.

  [[nodiscard]] bool wrote(u64 page) const {
    return everything || std::binary_search(pages.begin(), pages.end(), page);
  }
  /// Takes on what an earlier stretch touched that ends where this one begins or later.
  void absorb(const Touched& earlier) {
    if (earlier.since >= since) return;
    since = earlier.since;
    everything |= earlier.everything;
    ebreaks |= earlier.ebreaks;
    std::vector<u32> both;
    std::set_union(pages.begin(), pages.end(), earlier.pages.begin(), earlier.pages.end(), std::back_inserter(both));
    pages = std::move(both);
    for (const u64 satp : earlier.satps) note_satp(satp);
  }
  void note_satp(u64 satp) {
    if (std::find(satps.begin(), satps.end(), satp) == satps.end()) satps.push_back(satp);
  }
};

}  // namespace retrov
