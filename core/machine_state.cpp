// State(P) as bytes, pages and hashes, and what goes into it from outside.
#include "core/machine_state.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/check.hpp"
#include "core/engine/engine.hpp"
#include "core/hart.hpp"
#include "core/hart_state.hpp"

namespace retrov {

namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

constexpr std::size_t kMostReasonBytes = 4096;

void require(bool holds, const char* otherwise) {
  if (!holds) throw Error(Exit::kBadTrace, std::string("no state of this machine: ") + otherwise);
}

std::vector<u8> bytes_of(const Stateful& component) {
  std::vector<u8> bytes;
  bytes.reserve(2048);
  StateWriter writer(bytes);
  component.write_state(writer);
  return bytes;
}

}  // namespace

Snapshot Machine::snapshot() {
  Snapshot result;
  result.at = position_;
  result.components.push_back(bytes_of(Parts(*this)));
  for (const auto& hart : harts_) result.components.push_back(bytes_of(*hart));
  for (const auto& device : devices_) result.components.push_back(bytes_of(*device));
  result.trees.push_back(memory_.commit());
  for (const auto& device : devices_) {
    if (const PageTree* pages = device->pages()) result.trees.push_back(*pages);
  }
  result.touched = platform_->touched;
  result.touched.pages = memory_.written_pages();
  return result;
}

void Machine::begin_stretch() {
  memory_.forget_written();
  platform_->touched = {};
  platform_->touched.since = position_;
  for (const auto& hart : harts_) platform_->touched.note_satp(hart->csr.satp);
}

void Machine::restore(const Snapshot& snapshot) {
  require(snapshot.components.size() == 1 + harts_.size() + devices_.size(), "another number of components");
  require(snapshot.trees.size() == page_owners().size(), "another number of page trees");
  require(snapshot.trees.front().end_index() <= config_.ram_bytes / kPageBytes, "more memory");
  running_ = nullptr;  // What threw in the middle of a run is undone by this.
  auto bytes = snapshot.components.begin();
  const auto read = [&bytes](Stateful& component) {
    StateReader reader(*bytes++);
    component.read_state(reader);
    require(reader.left_bytes() == 0, "a component with bytes behind its end");
  };
  Parts parts(*this);
  read(parts);
  for (auto& hart : harts_) read(*hart);
  for (auto& device : devices_) read(*device);
  check_restored(snapshot.at);
  auto tree = snapshot.trees.begin();
  memory_.restore(*tree++);
  for (auto& device : devices_) {
    if (PageTree* pages = device->pages()) *pages = *tree++;
  }
  engine_->walks().start_epoch();
  engine_->flush_translations();
  for (auto& hart : harts_) hart->select_context();
  set_position(position_);
  settle_devices();
  begin_stretch();
}

/// What the rest of the machine takes for granted, and what bytes from a file need not keep to.
void Machine::check_restored(Position at) const {
  require(position_ == at, "a machine at another position");
  require(current_ < harts_.size() && turn_left_ <= config_.turn_steps, "a turn that nobody has");
  require(time_.idle_offset <= u64{3} << 62, "a time that no guest reaches");
  const bool is_text = std::all_of(power_.why.begin(), power_.why.end(), [](char c) { return c >= ' ' && c <= '~'; });
  require(is_text && power_.why.size() <= kMostReasonBytes, "a reason that is no sentence");
  for (const auto& hart : harts_) {
    const SteppingFacts& facts = hart->stepping;
    const auto is_past = [at](const InterruptFrame& frame) { return frame.taken_at < at; };
    require(!facts.last_step || *facts.last_step < at, "a hart that was ahead of the machine");
    require(!facts.returned_at || (*facts.returned_at <= at && facts.returned_irq_taken_at < *facts.returned_at),
            "a hart that was ahead of the machine");
    require(std::all_of(facts.open_irqs.begin(), facts.open_irqs.end(), is_past), "an interrupt that is yet to come");
  }
}

std::vector<ComponentHash> Machine::component_hashes(HashRam ram) {
  std::vector<ComponentHash> result;
  result.push_back({"machine", hash_state(Parts(*this))});
  for (const auto& hart : harts_) result.push_back({"hart" + std::to_string(hart->index()), hash_state(*hart)});
  for (const auto& device : devices_) result.push_back({std::string(device->name()), hash_state(*device)});
  if (ram == HashRam::kYes) result.push_back({"ram", memory_.commit().hash()});
  for (const auto& device : devices_) {
    if (const PageTree* pages = device->pages()) {
      result.push_back({std::string(device->name()) + ".pages", pages->hash()});
    }
  }
  return result;
}

u64 Machine::hash() {
  std::vector<u8> bytes;
  StateWriter writer(bytes);
  for (const ComponentHash& component : component_hashes()) writer(component.hash);
  return hash_bytes(bytes);
}

void Machine::print_state(StatePrinter& out) const {
  out.setNextName("machine");
  out.startNode();
  Parts(const_cast<Machine&>(*this)).serialize(out);
  out.finishNode();
  for (const auto& hart : harts_) {
    out.setNextName(("hart" + std::to_string(hart->index())).c_str());
    out.startNode();
    hart->serialize(out);
    out.finishNode();
  }
  for (const auto& device : devices_) {
    out.setNextName(std::string(device->name()).c_str());
    device->print_state(out);
  }
}

void Machine::apply(const Batch& batch) {
  RV_CHECK(!batch.inputs.empty() && !power_.off);
  const bool was_idle = idle();
  const u64 next = position_.steps + 1;
  if (was_idle) {
    const u64 reached = next / time_.steps_per_tick + time_.idle_offset;
    if (batch.wake.value > reached) time_.idle_offset += batch.wake.value - reached;
  }
  set_position(Position{next});
  for (const Input& input : batch.inputs) {
    if (input.device != kMachineItself) {
      if (input.device >= devices_.size()) throw Error(Exit::kBadTrace, "an input names a device that the board lacks");
      devices_[input.device]->accept(input.what, now());
      continue;
    }
    std::visit(Overloaded{[this](const Seed& seed) {
                            std::memcpy(entropy_.data(), seed.bytes.data(), seed.bytes.size());
                            refill_rng_seed();
                          },
                          [this](const SchedMask& mask) { sched_mask_ = mask.harts; },
                          [this](const SystemReset&) { reset(); },
                          [this](const DebuggerWrite& write) { apply_write(write); }, [](const auto&) {}},
               input.what);
  }
  settle_devices();
}

void Machine::apply_write(const DebuggerWrite& write) {
  if (write.space == DebuggerWrite::Space::kPhysicalMemory) {
    if (memory_.contains(PhysAddr{write.where}, write.bytes.size())) {
      memory_.write(PhysAddr{write.where}, write.bytes, Writer::kDebugger);
    } else {
      write_device(PhysAddr{write.where}, write.bytes);
    }
    return;
  }
  if (write.hart >= harts_.size()) throw Error(Exit::kBadTrace, "a debugger write names a hart that is not there");
  Hart& hart = *harts_[write.hart];
  u64 value = 0;
  for (std::size_t i = 0; i < write.bytes.size() && i < 8; ++i) value |= u64{write.bytes[i]} << (8 * i);
  const u64 id = write.where;
  if (id < 32) {
    if (id != 0) hart.x[id] = value;
  } else if (id == 32) {
    hart.pc = value & ~u64{1};
  } else if (id < kFirstFloat + 32u) {
    hart.f[id - kFirstFloat] = value | float_box(hart);
  } else if (id == u64(kRegisterPriv)) {
    if (value <= 1 || value == 3) hart.priv = static_cast<Priv>(value);
  } else {
    hart.csr_poke(static_cast<u16>(id - kFirstCsr), value);
  }
  hart.select_context();
}

/// One access of 1, 2, 4 or 8 bytes; what else there may be in a trace means nothing.
void Machine::write_device(PhysAddr address, std::span<const u8> bytes) {
  const auto size = static_cast<unsigned>(bytes.size());
  const Bus::Slot* slot = size <= 8 && (size & (size - 1)) == 0 ? bus_.find(address, size) : nullptr;
  if (slot == nullptr) return;
  u64 value = 0;
  for (unsigned i = 0; i < size; ++i) value |= u64{bytes[i]} << (8 * i);
  slot->device->write(address.value - slot->base.value, size, value, now());
}

/// xoshiro256**: entropy that a reset needs must follow from the state.
void Machine::refill_rng_seed() {
  if (!config_.rng_seed_at) return;
  const auto rotate = [](u64 value, unsigned by) { return value << by | value >> (64 - by); };
  std::array<u8, 32> bytes;
  for (unsigned i = 0; i < 4; ++i) {
    const u64 word = rotate(entropy_[1] * 5, 7) * 9;
    const u64 shifted = entropy_[1] << 17;
    entropy_[2] ^= entropy_[0];
    entropy_[3] ^= entropy_[1];
    entropy_[1] ^= entropy_[2];
    entropy_[0] ^= entropy_[3];
    entropy_[2] ^= shifted;
    entropy_[3] = rotate(entropy_[3], 45);
    std::memcpy(bytes.data() + 8 * i, &word, sizeof word);
  }
  memory_.write(*config_.rng_seed_at, bytes, Writer::kLoader);
  platform_->note_write(*config_.rng_seed_at, bytes.size(), Writer::kLoader);
}

}  // namespace retrov
