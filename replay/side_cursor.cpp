#include "replay/side_cursor.hpp"

namespace retrov {

SideCursor::SideCursor(const History& history, EngineKind engine, const SnapshotOptions& snapshots)
    : replay_(history, engine), timeline_(history, replay_.machine(), replay_.output(), snapshots) {}

}  // namespace retrov
