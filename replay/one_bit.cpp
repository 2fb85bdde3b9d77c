#include "replay/one_bit.hpp"

#include <algorithm>
#include <vector>

namespace retrov {

namespace {

u64 hash_named(const std::vector<ComponentHash>& components, const std::string& name) {
  const auto found = std::find_if(components.begin(), components.end(),
                                  [&](const ComponentHash& component) { return component.name == name; });
  return found == components.end() ? 0 : found->hash;
}

std::optional<std::vector<u8>> flipped(std::vector<u8> bytes, u64 wanted) {
  for (u8& byte : bytes) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      byte ^= static_cast<u8>(1u << bit);
      if (hash_bytes(bytes) == wanted) return bytes;
      byte ^= static_cast<u8>(1u << bit);
    }
  }
  return std::nullopt;
}

/// What a page adds to the hash of a tree.
u64 share_of(u64 index, const PageBytes& bytes) {
  PageTree alone;
  alone.set(index, bytes);
  return alone.hash();
}

std::optional<PageTree> flipped(const PageTree& tree, const PageTree& before, u64 wanted) {
  std::vector<u64> pages;
  const auto add = [&](u64 index) {
    if (std::find(pages.begin(), pages.end(), index) == pages.end()) pages.push_back(index);
  };
  PageTree::diff(before, tree, [&](u64 index, const Page*, const Page*) { pages.push_back(index); });
  pages.resize(std::min(pages.size(), kMostTriedPages));
  tree.for_each([&](u64 index, const Page&) {
    if (pages.size() < kMostTriedPages) add(index);
  });
  for (const u64 index : pages) {
    PageBytes bytes{};
    if (const Page* page = tree.find(index)) bytes = page->bytes;
    const u64 wanted_share = wanted - tree.hash() + share_of(index, bytes);
    for (u8& byte : bytes) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        byte ^= static_cast<u8>(1u << bit);
        if (share_of(index, bytes) == wanted_share) {
          PageTree result = tree;
          result.set(index, bytes);
          return result;
        }
        byte ^= static_cast<u8>(1u << bit);
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Snapshot> one_bit_away(Machine& machine, const Snapshot& here, const Snapshot& before,
                                     const std::string& name, const HashMark& recorded) {
  const u64 wanted = hash_named(recorded.components, name);
  Snapshot result = here;
  const std::vector<std::string> owners = machine.page_owners();
  for (std::size_t i = 0; i < owners.size(); ++i) {
    if (owners[i] != name) continue;
    const auto tree = flipped(here.trees[i], before.trees[i], wanted);
    if (tree) result.trees[i] = *tree;
    return tree ? std::optional(std::move(result)) : std::nullopt;
  }
  // Components come first among what is hashed, in the order in which snapshots have them.
  const std::vector<ComponentHash> hashes = machine.component_hashes(HashRam::kNo);
  for (std::size_t i = 0; i < here.components.size(); ++i) {
    if (hashes[i].name != name) continue;
    const auto bytes = flipped(here.components[i], wanted);
    if (bytes) result.components[i] = *bytes;
    return bytes ? std::optional(std::move(result)) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace retrov
