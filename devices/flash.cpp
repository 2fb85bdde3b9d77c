#include "devices/flash.hpp"

#include <algorithm>
#include <array>

#include "devices/fdt.hpp"

namespace retrov {

namespace {

constexpr u64 kSectorBytes = u64{256} << 10;
constexpr u32 kBankBytes = 4;
constexpr u64 kBufferBytes = kPageBytes;  // Two chips of 2 KiB each.

/// Bits of a chip's status register.
constexpr u8 kReady = 0x80, kEraseError = 0x20, kProgramError = 0x10;

enum Command : u8 {
  kReadArrayOld = 0x00,
  kProgramOther = 0x10,
  kEraseSetup = 0x20,
  kProgramSetup = 0x40,
  kClearStatus = 0x50,
  kLockSetup = 0x60,
  kReadStatus = 0x70,
  kReadIdentity = 0x90,
  kReadQuery = 0x98,
  kConfirm = 0xd0,
  kBufferSetup = 0xe8,
  kReadArray = 0xff,
};
constexpr u8 kLockBlock = 0x01;

constexpr u32 kManufacturer = 0x89, kChip = 0x18;

/// What a chip answers to a query, from word 0x10 on (JEDEC JESD68.01, and Intel's table behind it).
constexpr std::array<u8, 0x42> kQueryTable = {
    'Q', 'R', 'Y', 0x01, 0x00,   // Intel's command set,
    0x31, 0x00,                  // its own table is at 0x31;
    0x00, 0x00, 0x00, 0x00,      // no other command set.
    0x45, 0x55, 0x00, 0x00,      // Vcc 4.5 V to 5.5 V, no Vpp.
    0x07, 0x07, 0x0a, 0x00,      // Typical times for a word, a buffer, a sector, the chip: 2^n us, us, ms, ms,
    0x04, 0x04, 0x04, 0x00,      // and at most 2^n times as long.
    24, 0x02, 0x00,              // 2^24 bytes; 8 or 16 bits wide.
    0x0b, 0x00,                  // 2^11 bytes of buffer.
    0x01,                        // One region
    0x7f, 0x00, 0x00, 0x02,      // of 128 sectors of 0x200 times 256 bytes.
    'P', 'R', 'I', '1', '0',     // Version 1.0 of Intel's table: no optional command,
    0, 0, 0, 0, 0, 0, 0, 0, 0,   // nothing that can be suspended or locked,
    0x01,                        // one field of protection bits, which holds nothing.
};

/// Each of the two chips gives the same.
constexpr u32 both(u32 chip) { return chip | chip << 16; }

u32 identity_word(u64 word) {
  switch (word & 0xff) {
    case 0:
      return both(kManufacturer);
    case 1:
      return both(kChip);
    default:
      return 0;  // Sectors are never locked.
  }
}

u32 query_word(u64 word) {
  constexpr u64 kFirst = 0x10;
  return word >= kFirst && word - kFirst < kQueryTable.size() ? both(kQueryTable[word - kFirst]) : 0;
}

}  // namespace

Flash::Flash(unsigned unit, const FlashConfig* config, OutputSink& output, std::function<Position()> position)
    : name_("flash" + std::to_string(unit)), output_(output), position_(std::move(position)), status_(kReady) {
  if (config == nullptr) return;
  has_image_ = true;
  id_ = config->id;
  read_only_ = config->read_only;
  std::span<const u8> left = config->image.bytes;
  for (u64 index = 0; !left.empty(); ++index) {
    PageBytes page{};
    const std::size_t part = std::min<std::size_t>(left.size(), page.size());
    std::copy_n(left.begin(), part, page.begin());
    image_.set(index, page);
    left = left.subspan(part);
  }
}

void Flash::describe_units(FdtNode& root) {
  FdtNode node = root.child("flash@20000000");
  node.text("compatible", "cfi-flash");
  static_assert(kFlashBase.value + kFlashUnits * kFlashUnitBytes < u64{1} << 32 && kFlashUnits == 2);
  constexpr u32 kFirst = kFlashBase.value, kBytes = kFlashUnitBytes;
  node.cells("reg", {0, kFirst, 0, kBytes, 0, kFirst + kBytes, 0, kBytes});
  node.cell("bank-width", kBankBytes);
}

void Flash::reset() {
  mode_ = Mode::kReadArray;
  status_ = kReady;
  words_left_ = 0;
  buffer_page_ = 0;
  buffer_.clear();
}

/// The array is memory, with any width and alignment; anything else answers words of the bank.
std::optional<u64> Flash::peek(u64 offset, unsigned size_bytes, Ticks) const {
  if (mode_ == Mode::kReadArray) {
    std::array<u8, 8> bytes;
    read_array(offset, std::span(bytes).first(size_bytes));
    u64 value = 0;
    for (unsigned i = size_bytes; i-- > 0;) value = value << 8 | bytes[i];
    return value;
  }
  if (offset % size_bytes != 0) return std::nullopt;
  if (size_bytes == 8) return read_word(offset, 4) | u64{read_word(offset + 4, 4)} << 32;
  return read_word(offset, size_bytes);
}

u32 Flash::read_word(u64 offset, unsigned size_bytes) const {
  const u64 word = offset / kBankBytes;
  // A narrow access gets the lowest bytes of the word, whichever of its bytes it asks for, as in QEMU.
  const u32 value = mode_ == Mode::kIdentity ? identity_word(word)
                    : mode_ == Mode::kQuery  ? query_word(word)
                                             : both(status_);
  return size_bytes == 4 ? value : value & ((1u << 8 * size_bytes) - 1);
}

void Flash::read_array(u64 offset, std::span<u8> out) const {
  while (!out.empty()) {
    const u64 index = offset / kPageBytes, skip = offset % kPageBytes;
    const std::size_t part = std::min<std::size_t>(out.size(), kPageBytes - skip);
    const Page* base = image_.find(index);
    const Page* change = changes_.find(index);
    for (std::size_t i = 0; i < part; ++i) {
      const u8 was = base != nullptr ? base->bytes[skip + i] : u8{0};
      out[i] = change != nullptr ? was ^ change->bytes[skip + i] : was;
    }
    out = out.subspan(part);
    offset += part;
  }
}

bool Flash::write(u64 offset, unsigned size_bytes, u64 value, Ticks) {
  if (offset % size_bytes != 0) return false;
  write_word(offset, std::min(size_bytes, kBankBytes), static_cast<u32>(value));
  if (size_bytes == 8) write_word(offset + kBankBytes, kBankBytes, static_cast<u32>(value >> 32));
  return true;
}

void Flash::write_word(u64 offset, unsigned size_bytes, u32 value) {
  const u8 command = value & 0xff;
  std::array<u8, kBankBytes> bytes;
  for (unsigned i = 0; i < kBankBytes; ++i) bytes[i] = static_cast<u8>(value >> (8 * i));
  const std::span<const u8> datum = std::span(bytes).first(size_bytes);
  switch (mode_) {
    case Mode::kReadArray:
    case Mode::kStatus:
    case Mode::kIdentity:
      take_command(offset, command);
      return;
    case Mode::kQuery:  // QEMU's chips hear nothing else.
      if (command == kReadArray) mode_ = Mode::kReadArray;
      return;
    case Mode::kProgram:
      if (!read_only_) change(offset, datum);
      finish(!read_only_, kProgramError);
      return;
    case Mode::kErase:
    case Mode::kLock:
      if (command == kConfirm || (mode_ == Mode::kLock && command == kLockBlock)) {
        finish(true, 0);
      } else {
        mode_ = Mode::kReadArray;
      }
      return;
    case Mode::kBufferCount:
      words_left_ = value & 0xffff;
      mode_ = Mode::kBufferData;
      return;
    case Mode::kBufferData:
      take_buffer_word(offset, datum);
      return;
    case Mode::kBufferConfirm:
      finish_buffer(command);
      return;
  }
}

void Flash::take_command(u64 offset, u8 command) {
  switch (command) {
    case kProgramOther:
    case kProgramSetup:
      mode_ = Mode::kProgram;
      return;
    case kEraseSetup:
      // At the confirmation says Intel; QEMU's chips do not wait for it, and what works there must work here.
      if (!read_only_) erase_sector(offset / kSectorBytes * kSectorBytes);
      finish(!read_only_, kEraseError);
      mode_ = Mode::kErase;
      return;
    case kClearStatus:
      status_ = 0;
      mode_ = Mode::kReadArray;
      return;
    case kLockSetup:
      mode_ = Mode::kLock;
      return;
    case kReadStatus:
      mode_ = Mode::kStatus;
      return;
    case kReadIdentity:
      mode_ = Mode::kIdentity;
      return;
    case kReadQuery:
      mode_ = Mode::kQuery;
      return;
    case kBufferSetup:
      status_ |= kReady;
      mode_ = Mode::kBufferCount;
      return;
    default:  // 0xff, QEMU's 0x00, the 0xf0 of other makers' chips, and what is no command (suspend, resume).
      mode_ = Mode::kReadArray;
      return;
  }
}

/// Words go to a buffer of one page, the page of the first of them; one for elsewhere is an error.
void Flash::take_buffer_word(u64 offset, std::span<const u8> datum) {
  if (buffer_.size() != kBufferBytes) {
    buffer_page_ = offset / kPageBytes;
    buffer_.resize(kBufferBytes);
    read_array(buffer_page_ * kPageBytes, buffer_);
  }
  status_ |= kReady;
  if (read_only_ || offset / kPageBytes != buffer_page_) {
    status_ |= kProgramError;
  } else {
    std::copy(datum.begin(), datum.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(offset % kPageBytes));
  }
  if (words_left_ == 0) {
    mode_ = Mode::kBufferConfirm;
  } else {
    --words_left_;
  }
}

void Flash::finish_buffer(u8 command) {
  if (command != kConfirm) {
    mode_ = Mode::kReadArray;
  } else {
    if ((status_ & kProgramError) == 0) change(buffer_page_ * kPageBytes, buffer_);
    finish(true, 0);
  }
  buffer_page_ = 0;
  buffer_.clear();
}

void Flash::finish(bool done, u8 error) {
  if (!done) status_ |= error;
  status_ |= kReady;
  mode_ = Mode::kStatus;
}

void Flash::erase_sector(u64 offset) {
  PageBytes erased;
  erased.fill(0xff);
  for (u64 at = offset; at < offset + kSectorBytes; at += kPageBytes) change(at, erased);
}

void Flash::change(u64 offset, std::span<const u8> bytes) {
  if (!was_written_) {
    was_written_ = true;
    if (has_image_) {
      output_.notice(position_(), name_ + " " + id_ +
                                      ": the guest writes; the image stays unchanged, its writes live in this session");
    }
  }
  const u64 index = offset / kPageBytes, skip = offset % kPageBytes;
  PageBytes page{};
  if (const Page* before = changes_.find(index)) page = before->bytes;
  const Page* base = image_.find(index);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    page[skip + i] = bytes[i] ^ (base != nullptr ? base->bytes[skip + i] : u8{0});
  }
  changes_.set(index, page);
}

}  // namespace retrov
