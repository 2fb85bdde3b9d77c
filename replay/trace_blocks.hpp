// The trace that is being recorded as the place where a session keeps the disk blocks that it captured: they stand in
// it anyway.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "replay/block_store.hpp"
#include "replay/frame_builder.hpp"
#include "replay/trace_file.hpp"

namespace retrov {

class TraceBlocks final : public BlockHome {
 public:
  explicit TraceBlocks(std::shared_ptr<const TraceFile> file) : file_(std::move(file)) {}

  /// Of frames that have been written.
  void add(const std::vector<StoredBlock>& blocks);

  /// Asked in the order in which blocks were told, if not of all: what comes before one that is asked for is forgotten.
  std::optional<u64> place_of(u8 disk, u64 index) override;
  [[nodiscard]] i64 read(u64 offset, std::span<u8> out) const override { return file_->read(offset, out); }
  [[nodiscard]] const char* name() const override { return "the trace"; }

 private:
  const std::shared_ptr<const TraceFile> file_;
  std::mutex mutex_;
  std::deque<StoredBlock> stored_;  ///< Those that may still be asked for, as they were told.
};

}  // namespace retrov
