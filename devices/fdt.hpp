// Device trees: a builder that writes one node after the other, and an editor for a tree the user gives. The only user
// of libfdt.
//
// A node is open while its FdtNode lives: set its properties first, then open children, one at a time.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.hpp"

namespace retrov {

/// Numbers by which nodes of our tree refer to each other.
inline constexpr u32 kPlicPhandle = 1;
inline constexpr u32 kTestFinisherPhandle = 2;
constexpr u32 cpu_intc_phandle(unsigned hart) { return 16 + 2 * hart; }
constexpr u32 cpu_phandle(unsigned hart) { return 17 + 2 * hart; }

class FdtNode {
 public:
  FdtNode(const FdtNode&) = delete;
  FdtNode& operator=(const FdtNode&) = delete;
  ~FdtNode();

  void flag(const char* name);
  void cell(const char* name, u32 value) { cells(name, {value}); }
  void cells(const char* name, std::initializer_list<u32> values);
  void cells(const char* name, std::span<const u32> values);
  /// Pairs of 64-bit address and size, as #address-cells = #size-cells = 2 wants them.
  void reg(PhysAddr base, u64 size_bytes);
  /// A line of the PLIC.
  void interrupt(u32 source);
  void text(const char* name, std::string_view value);
  void texts(const char* name, std::initializer_list<std::string_view> values);
  void texts(const char* name, std::span<const std::string_view> values);
  void bytes(const char* name, std::span<const u8> value);
  [[nodiscard]] FdtNode child(const std::string& name) { return FdtNode(blob_, name); }

 private:
  friend class FdtBuilder;
  FdtNode(std::vector<u8>& blob, const std::string& name);
  std::vector<u8>& blob_;
};

class FdtBuilder {
 public:
  FdtBuilder();
  /// Once, first.
  [[nodiscard]] FdtNode root() { return FdtNode(blob_, ""); }
  /// Once, after the root has been closed.
  [[nodiscard]] std::vector<u8> finish();

 private:
  std::vector<u8> blob_;
};

/// Where the 32 bytes of /chosen/rng-seed are in a blob; nothing if it has none or fewer.
[[nodiscard]] std::optional<u64> find_rng_seed(std::span<const u8> blob);

/// A tree that a user made, to be given the bootargs and the initrd of this run. Hostile until checked.
class FdtEditor {
 public:
  /// Throws Error (kNoInput) with one phrase; the caller names the file.
  explicit FdtEditor(std::span<const u8> blob);
  struct Range {
    u64 base = 0;
    u64 size_bytes = 0;
  };
  /// What the nodes with device_type "memory" say.
  [[nodiscard]] std::vector<Range> memory() const;
  void set_bootargs(const std::string& bootargs);
  void set_initrd(PhysAddr base, u64 size_bytes);
  [[nodiscard]] std::vector<u8> finish();

 private:
  [[nodiscard]] int chosen();
  std::vector<u8> blob_;
};

}  // namespace retrov
