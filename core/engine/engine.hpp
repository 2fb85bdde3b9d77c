// Runs one hart for a number of steps, by threaded code or, as the oracle, by decoding each instruction anew. Both use
// the same meanings and the same memory functions; what differs are only caches. Also the one listener of writes to
// RAM, because the caches that writes make stale live here.
//
// Must stay true: between two runs a hart holds architectural state only, never a pointer into decoded code.
#pragma once

#include <memory>
#include <vector>

#include "core/engine/code_cache.hpp"
#include "core/hart.hpp"
#include "core/memory.hpp"
#include "core/walk_cache.hpp"

namespace retrov {

class Engine final : public WriteListener {
 public:
  Engine(Memory& memory, ExtensionSet extensions, const std::vector<std::unique_ptr<Hart>>& harts);

  /// Forgets everything, and remembers at most so much from now on.
  void limit(const CacheSizes& sizes);
  [[nodiscard]] CodeCache& code() { return code_; }
  [[nodiscard]] WalkCache& walks() { return walks_; }

  struct Result {
    u64 steps = 0;        ///< Made, a trap included.
    Hart::RunEnd end = Hart::RunEnd::kBudget;
  };
  /// At most `max_steps` steps, starting at hart.position. A trap is left in hart.run.trap, not taken.
  Result run(Hart& hart, u64 max_steps);

  void flush_translations();

  bool code_written(u64 ram_offset, u64 size_bytes) override;
  bool page_table_written(u64 ram_offset, u64 size_bytes, Writer who) override;
  void foreign_write(PhysAddr address, u64 size_bytes, Writer who) override;
  void flush_write_translations() override;

 private:
  Memory& memory_;
  CodeCache code_;
  WalkCache walks_;
  const std::vector<std::unique_ptr<Hart>>& harts_;

  void run_threaded(Hart& hart);
  /// The block at hart.pc; null if it is to be stepped alone or a trap or stop ended the run.
  const Op* locate(Hart& hart);
  void step_one(Hart& hart);
  void execute(Hart& hart, const Op* first);
};

}  // namespace retrov
