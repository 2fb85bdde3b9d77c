// NOR flash as on QEMU's `virt`: a unit is a 32-bit bank of two 16-bit chips with Intel's command set (JEDEC's CFI,
// command set 0001). Code runs from it in place, and firmware keeps its variables in it, so what the guest programs is
// machine state; the image a unit starts with is part of the board's config.
//
// Must stay true: pages() holds the difference from the image, so that only what the guest has changed costs anything,
// and what was changed back is as if it had never been. Programming and erasing take no time, and survive a reset.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/check.hpp"
#include "core/device.hpp"
#include "devices/board.hpp"
#include "devices/memory_map.hpp"

namespace retrov {

class Flash final : public StatefulAs<Flash, Device> {
 public:
  /// `config` may be null: a unit without an image, all zeros. `output` must outlive the device.
  Flash(unsigned unit, const FlashConfig* config, OutputSink& output, std::function<Position()> position);

  [[nodiscard]] std::string_view name() const override { return name_; }
  std::optional<u64> read(u64 offset, unsigned size_bytes, Ticks now) override { return peek(offset, size_bytes, now); }
  bool write(u64 offset, unsigned size_bytes, u64 value, Ticks now) override;
  [[nodiscard]] std::optional<u64> peek(u64 offset, unsigned size_bytes, Ticks now) const override;
  [[nodiscard]] bool executable() const override { return true; }
  /// All units share one node, which QEMU has at the root.
  void describe(FdtNode&) const override {}
  static void describe_units(FdtNode& root);
  void reset() override;
  PageTree* pages() override { return &changes_; }

  template <class A>
  void serialize(A& a) {
    u8 mode = static_cast<u8>(mode_);
    a(field("mode", mode), field("status", status_), field("words_left", words_left_));
    a(field("buffer_page", buffer_page_), field("buffer", buffer_), field("was_written", was_written_));
    if constexpr (A::is_loading::value) {
      const bool holds_page = buffer_.empty() || buffer_.size() == kPageBytes;
      if (mode > static_cast<u8>(Mode::kBufferConfirm) || !holds_page || buffer_page_ >= kFlashUnitBytes / kPageBytes) {
        throw Error(Exit::kBadTrace, name_ + ": a state that cannot be");
      }
    }
    mode_ = static_cast<Mode>(mode);
    if constexpr (A::is_loading::value) {
      const bool has_buffer = buffer_.empty() || buffer_.size() == kPageBytes;
      if (mode_ > Mode::kBufferConfirm || !has_buffer || buffer_page_ >= kFlashUnitBytes / kPageBytes) {
        throw Error(Exit::kBadTrace, name_ + ": programming that no chip does");
      }
    }
  }

 private:
  /// What the next write means. Reads give the array, the identity or the query table in the modes of that name, and
  /// the status in all others.
  enum class Mode : u8 {
    kReadArray,
    kStatus,
    kIdentity,
    kQuery,
    kProgram,        ///< The datum.
    kErase,          ///< The confirmation.
    kLock,           ///< Which of the locking commands.
    kBufferCount,    ///< How many words follow, less one.
    kBufferData,
    kBufferConfirm,
  };
  std::string name_;
  std::string id_;
  bool read_only_ = false;
  bool has_image_ = false;
  OutputSink& output_;
  std::function<Position()> position_;
  PageTree image_;

  Mode mode_ = Mode::kReadArray;
  u8 status_;
  u16 words_left_ = 0;
  u64 buffer_page_ = 0;
  std::vector<u8> buffer_;  ///< The page that is being programmed, from the first word until the confirmation.
  bool was_written_ = false;
  PageTree changes_;  ///< Content xor image.

  [[nodiscard]] u32 read_word(u64 offset, unsigned size_bytes) const;
  void read_array(u64 offset, std::span<u8> out) const;
  void write_word(u64 offset, unsigned size_bytes, u32 value);
  void take_command(u64 offset, u8 command);
  void take_buffer_word(u64 offset, std::span<const u8> datum);
  void finish_buffer(u8 command);
  void erase_sector(u64 offset);
  /// Within one page.
  void change(u64 offset, std::span<const u8> bytes);
  void finish(bool done, u8 error);
};

}  // namespace retrov
