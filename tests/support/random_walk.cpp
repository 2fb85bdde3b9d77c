#include "tests/support/random_walk.hpp"

#include <algorithm>

#include "tests/support/walker.hpp"

namespace retrov::test {

std::vector<WalkOp> random_ops(u64 seed, std::size_t count) {
  const auto kinds = walk_kind_rows();
  u64 weights = 0;
  for (const WalkKind& kind : kinds) weights += kind.weight;
  Random random(seed);
  random.below(2);
  std::vector<WalkOp> ops;
  while (ops.size() < count) {
    u64 left = random.below(weights);
    WalkOp op;
    while (left >= kinds[op.kind].weight) left -= kinds[op.kind++].weight;
    op.a = random.below(u64{1} << 40);
    op.b = random.below(u64{1} << 40);
    op.c = random.below(u64{1} << 40);
    ops.push_back(op);
  }
  return ops;
}

std::vector<std::string> walk_kinds() {
  std::vector<std::string> names;
  for (const WalkKind& kind : walk_kind_rows()) names.emplace_back(kind.name);
  return names;
}

WalkResult take_walk(u64 seed, const std::vector<WalkOp>& ops) {
  WalkResult result;
  result.kinds.resize(walk_kind_rows().size());
  try {
    Walker walker(seed);
    for (const WalkOp& op : ops) {
      if (walker.act(op)) ++result.kinds[op.kind];
      result.log.push_back(walker.last());
      ++result.done;
    }
    walker.finish();
  } catch (const WalkFailure& failure) {
    result.failure = failure.what;
  } catch (const Error& error) {
    result.failure = error.what();
  }
  return result;
}

/// Pieces are left out, first large ones, as long as what is left fails.
std::vector<WalkOp> shortened(u64 seed, std::vector<WalkOp> ops) {
  ops.resize(std::min(ops.size(), take_walk(seed, ops).done + 1));
  for (std::size_t piece = ops.size() / 2; piece > 0; piece /= 2) {
    for (std::size_t at = 0; at < ops.size();) {
      std::vector<WalkOp> fewer = ops;
      const auto begin = fewer.begin() + static_cast<std::ptrdiff_t>(at);
      fewer.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(piece, ops.size() - at)));
      if (take_walk(seed, fewer).failure) {
        ops = std::move(fewer);
      } else {
        at += piece;
      }
    }
  }
  return ops;
}

}  // namespace retrov::test
