// `record --from-snapshot`: a moment of a trace from which another recording goes on.
#pragma once

#include <string>
#include <vector>

#include "cli/images.hpp"
#include "cli/options.hpp"
#include "replay/trace_reader.hpp"

namespace retrov {

struct Origin {
  LoadedMachine machine;
  HistoryBegin begin;
  std::vector<BranchHistory> branches;  ///< Of the trace, to be kept as long as `history` is used.
  const History* history = nullptr;     ///< Has the disk blocks that are known.
  std::vector<SymbolFile> symbols;
  std::string name;  ///< Of the trace, for the next one's.
};

/// Replays the trace to there. Throws Error: kUsage for a position that it does not have, or at which the guest is
/// powered off; what TraceReader throws.
[[nodiscard]] Origin load_origin(const Options& options);

/// Paths of the images of --drive-base, one per disk of the board; empty for those that were not given. Throws Error
/// (kUsage) for a disk that is not there.
[[nodiscard]] std::vector<std::string> drive_bases(const Options& options, const BoardConfig& board);

}  // namespace retrov
