// A disk: virtio-blk (virtio 1.2, section 5.2) over an unchanging base and an overlay of 4 KiB blocks. What the guest
// writes goes to the overlay, which is machine state; the base is only read, and a trace keeps the blocks that were.
//
// Must stay true: whether a block was written is state of its own. A block written with zeros is absent from the
// overlay's pages, as all zero pages are, and still must not be read from the base.
#pragma once

#include <functional>
#include <vector>

#include "devices/board.hpp"
#include "devices/virtio.hpp"

namespace retrov {

class VirtioBlk final : public StatefulAs<VirtioBlk, VirtioMmio> {
 public:
  struct Connection {
    Memory& memory;
    DiskBase& base;
    OutputSink& output;
    std::function<Position()> position;
  };
  /// What `connection` refers to must outlive the device.
  VirtioBlk(const DiskConfig& disk, const DiskLatency& latency, VirtioVersion version, const Connection& connection);

  Ticks advance_to(Ticks now) override;
  [[nodiscard]] std::optional<QueuedWrite> queued_write(PhysAddr byte, Ticks by) const override;
  PageTree* pages() override { return &overlay_; }
  [[nodiscard]] u64 size_bytes() const { return disk_.size_bytes; }
  /// Calls `visit(block, bytes)` for every block the guest has written, ascending: what `snapshot=off` puts back.
  using BlockVisit = std::function<void(u64 block, std::span<const u8, kBlockBytes> bytes)>;
  void for_each_written(const BlockVisit& visit) const;

  template <class A>
  void serialize(A& a) {
    serialize_transport(a);
    a(field("requests", requests_), field("was_written", was_written_));
  }

 protected:
  [[nodiscard]] u64 features() const override;
  [[nodiscard]] std::span<const u8> config_space() const override { return config_; }
  void notified(unsigned index, Ticks now) override;
  void device_reset() override { requests_.clear(); }

 private:
  /// A parsed request that completes at `due`.
  struct Request {
    u64 due = 0;
    u64 queued_at = 0;  ///< Position of the step that stored to the notify register.
    u16 head = 0;
    u32 type = 0;
    u64 sector = 0;
    u64 status_at = 0;
    std::vector<DmaBuffer> data;  ///< To read from or to fill, by type.
    template <class A>
    void serialize(A& a) {
      a(field("due", due), field("queued_at", queued_at), field("head", head), field("type", type));
      a(field("sector", sector));
      a(field("status_at", status_at), field("data", data));
    }
  };
  DiskConfig disk_;
  DiskLatency latency_;
  DiskBase& base_;
  OutputSink& output_;
  std::function<Position()> position_;
  std::array<u8, 60> config_{};
  std::vector<Request> requests_;  ///< By `due`, then in the order in which they were made.
  bool was_written_ = false;
  PageTree overlay_;

  [[nodiscard]] static std::string title(const Request& request);
  bool parse(const DescriptorChain& chain, Request& out) const;
  void finish(const Request& request);
  u8 carry_out(const Request& request, u64 size_bytes, u32& written_bytes);
  // False: a block that is needed cannot be had.
  bool read_disk(u64 offset, std::span<u8> out);
  bool write_disk(u64 offset, std::span<const u8> bytes);
  bool read_block(u64 block, std::span<u8, kBlockBytes> out);
  void mark_written(u64 block);
  [[nodiscard]] bool is_written(u64 block) const;
};

}  // namespace retrov
