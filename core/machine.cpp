// Building the machine, and who makes the next step.
#include "core/machine.hpp"

#include <algorithm>
#include <utility>

#include "core/check.hpp"
#include "core/engine/engine.hpp"
#include "core/fp.hpp"
#include "core/hart.hpp"
#include "core/plant.hpp"

namespace retrov {

namespace {

/// No idle step jumps this far, 29,000 years, so guest time never wraps.
constexpr Ticks kEndOfGuestTime{u64{1} << 63};

}  // namespace

Machine::Machine(MachineConfig config, EngineKind engine)
    : config_(std::move(config)), engine_kind_(engine), memory_(config_.ram_base, config_.ram_bytes) {
  RV_CHECK(config_.harts >= 1 && config_.harts <= 8);
  time_.steps_per_tick = config_.steps_per_tick;
  engine_ = std::make_unique<Engine>(memory_, config_.extensions, harts_);
  platform_ = std::make_unique<Platform>(
      Platform{memory_, bus_, time_, engine_->walks(), engine_->code(), devices_, engine, nullptr,
               config_.extensions});
  for (unsigned i = 0; i < config_.harts; ++i) harts_.push_back(std::make_unique<Hart>(i, *platform_));
}

Machine::~Machine() { memory_.set_listener(nullptr); }

u8 Machine::attach(PhysAddr base, u64 size_bytes, std::unique_ptr<Device> device) {
  RV_CHECK(devices_.size() < kMachineItself);
  if (size_bytes != 0) bus_.attach(base, size_bytes, *device);
  devices_.push_back(std::move(device));
  return static_cast<u8>(devices_.size() - 1);
}

void Machine::power_on() {
  for (const Blob& blob : config_.initial_memory) memory_.write(blob.at, blob.bytes, Writer::kLoader);
  initial_ram_ = memory_.commit();
  for (auto& device : devices_) device->reset();
  for (auto& hart : harts_) hart->reset(config_.reset_pc.value);
  turn_left_ = config_.turn_steps;  // Hart 0 begins, as people expect of a boot hart.
  settle_devices();
  begin_stretch();
}

void Machine::power_off(int status, const std::string& why) {
  if (!power_.off) power_ = {true, status, why};
}

void Machine::reset() { reset_pending_ = true; }

// --- who runs (docs/machine.md, "Turns") ---

bool Machine::runnable(unsigned index) const {
  if ((sched_mask_ >> index & 1) == 0) return false;
  return !harts_[index]->waiting || harts_[index]->wakes();
}

std::optional<Machine::Pick> Machine::pick() const {
  if (turn_left_ > 0 && runnable(current_)) return Pick{current_, turn_left_};
  for (unsigned i = 1; i <= harts_.size(); ++i) {
    const unsigned next = static_cast<unsigned>((current_ + i) % harts_.size());
    if (runnable(next)) return Pick{next, config_.turn_steps};
  }
  return std::nullopt;
}

bool Machine::idle() const { return !power_.off && !reset_pending_ && !pick(); }

unsigned Machine::current_hart() const {
  const auto next = pick();
  return next ? next->hart : current_;
}

Ticks Machine::idle_deadline() const {
  Ticks deadline = kNever;
  for (const auto& device : devices_) deadline = std::min(deadline, device->advance_to(now()));
  for (unsigned i = 0; i < harts_.size(); ++i) {
    if ((sched_mask_ >> i & 1) != 0) deadline = std::min(deadline, harts_[i]->next_timer(now()));
  }
  return deadline < kEndOfGuestTime ? deadline : kNever;
}

// --- steps ---

Pause Machine::run_until(Position limit, StopSet* stops) {
  RV_CHECK(fp::host_rounding_is_sane());
  use_stops(stops);
  Pause pause = Pause::kLimit;
  while (pause == Pause::kLimit) {
    plant::disturb(position_, *harts_[0]);
    if (stops_at_other_write(stops)) {
      pause = Pause::kStop;
    } else if (power_.off) {
      pause = Pause::kPoweredOff;
    } else if (position_ >= limit) {
      break;
    } else if (reset_pending_) {
      reset_step();
    } else if (const auto next = pick()) {
      const auto stop = stop_before(*next, stops);
      pause = stop ? *stop : run_slice(*next, plant::next_stop(position_, limit), stops);
      const bool at_access = pause == Pause::kStop && stops->hit->kind == StopHit::Kind::kWatch;
      if (at_access && stops->filter != nullptr && stops->filter->looks_behind(*stops->hit)) {
        pause = make_access(*stops);
      }
    } else {
      const auto stop = stop_before(Pick{current_, 0}, stops);
      pause = stop ? *stop : Pause::kIdle;
    }
  }
  platform_->stops = nullptr;
  return pause;
}

void Machine::use_stops(StopSet* stops) {
  platform_->stops = stops;
  if (stops == nullptr) {
    watches_.clear();  // What this run caches respects no watch.
    return;
  }
  stops->hit.reset();
  engine_->code().set_breakpoints(stops->breakpoints);
  if (stops->watches != watches_) {
    watches_ = stops->watches;
    engine_->flush_translations();
  }
}

/// Stepping's conditions hold between steps: a hart is about to run, has begun to wait, or has returned.
std::optional<Pause> Machine::stop_before(const Pick& next, StopSet* stops) {
  if (stops == nullptr || stops->ignore_at == position_) return std::nullopt;
  if (const auto wanted = stops->until_irq_return_of) {
    const SteppingFacts& facts = harts_[*wanted]->stepping;
    if (facts.returned_at == position_ && facts.open_irqs.size() <= stops->open_irqs_at_most) {
      stops->hit = StopHit{StopHit::Kind::kInterruptReturn, *wanted, {}, 0, false, 0};
      return Pause::kStop;
    }
  }
  if (const auto wanted = stops->before_hart) {
    const Hart& hart = *harts_[*wanted];
    const bool begins_to_wait =
        hart.waiting && hart.stepping.last_step && hart.stepping.last_step->steps + 1 == position_.steps;
    const bool steps_next = next.left > 0 && next.hart == *wanted;
    if (steps_next || begins_to_wait) {
      stops->hit = StopHit{StopHit::Kind::kBeforeHart, *wanted, {}, 0, false, 0};
      return Pause::kStop;
    }
  }
  return std::nullopt;
}

/// The one step of the hart that a watch has stopped before; nothing else can come first at this position.
Pause Machine::make_access(StopSet& stops) {
  StopHit access = *std::exchange(stops.hit, std::nullopt);
  const auto next = pick();
  RV_CHECK(next && next->hart == access.hart);
  const auto ignored = std::exchange(stops.ignore_at, position_);
  run_slice(*next, Position{position_.steps + 1}, &stops);
  stops.ignore_at = ignored;
  if (!stops.filter->counts_behind()) return Pause::kLimit;
  access.made = true;
  stops.hit = access;
  return Pause::kStop;
}

void Machine::limit_caches(const CacheSizes& sizes) { engine_->limit(sizes); }

void Machine::keep_writes_of(OtherWriters writers) {
  platform_->keep_writes_of = writers;
  platform_->other_writes.clear();
}

bool Machine::stops_at_other_write(StopSet* stops) {
  if (platform_->other_writes.empty()) return false;
  const auto writes = std::exchange(platform_->other_writes, {});
  if (stops == nullptr || stops->other_writers == OtherWriters::kNone) return false;
  for (const Platform::OtherWrite& write : writes) {
    for (std::size_t i = 0; i < stops->watches.size(); ++i) {
      if (stops->watches[i].kind == WatchKind::kRead) continue;
      for (const auto& hart : harts_) {
        const auto byte = hart->watched_byte_in(stops->watches[i], write.address, write.size_bytes);
        if (!byte) continue;
        stops->hit = StopHit{StopHit::Kind::kOtherWrite, current_, *byte, 1, true, i};
        stops->hit->writer = write.who;
        return true;
      }
    }
  }
  return false;
}

Pause Machine::run_slice(const Pick& next, Position limit, StopSet* stops) {
  Hart& hart = *harts_[next.hart];
  hart.turn_over = false;
  if (const auto interrupt = hart.pending_interrupt()) {
    hart.waiting = false;
    hart.take_interrupt(*interrupt);
    hart.stepping.last_step = position_;
    commit_turn(next, 1);
    set_position(Position{position_.steps + 1});
    if (position_ >= next_device_event_) settle_devices();
    return Pause::kLimit;
  }
  const bool was_waiting = hart.waiting;
  hart.waiting = false;
  running_ = &hart;
  const Engine::Result result = engine_->run(hart, slice_steps(next, limit, stops));
  running_ = nullptr;
  if (result.steps == 0) {
    hart.waiting = was_waiting;
    RV_CHECK(result.end == Hart::RunEnd::kStop);
    return Pause::kStop;
  }
  hart.stepping.last_step = Position{position_.steps + result.steps - 1};
  commit_turn(next, result.steps);
  if (result.end == Hart::RunEnd::kTrap) {
    hart.position = *hart.stepping.last_step;
    hart.take_trap(hart.run.trap);
  }
  set_position(Position{position_.steps + result.steps});
  if (platform_->devices_touched || position_ >= next_device_event_) settle_devices();
  return result.end == Hart::RunEnd::kStop ? Pause::kStop : Pause::kLimit;
}

/// Up to the next thing that could change who runs or what the hart sees, other than by its own doing.
u64 Machine::slice_steps(const Pick& next, Position limit, StopSet* stops) const {
  const Hart& hart = *harts_[next.hart];
  const Position timer = time_.deadline(hart.next_timer(now()), position_);
  const Position end = std::min({limit, next_device_event_, timer});
  u64 steps = end.steps - position_.steps;
  // A hart alone has nobody to hand its turn to, so the turn's end need not be met exactly.
  if (harts_.size() > 1) steps = std::min(steps, next.left);
  if (stops != nullptr && stops->before_hart == next.hart) steps = 1;
  return steps;
}

/// `steps` steps of the picked hart have been made: whose turn is it now? A lone hart may have begun several turns.
void Machine::commit_turn(const Pick& next, u64 steps) {
  if (next.hart != current_) harts_[current_]->reservation = {};
  current_ = next.hart;
  if (steps <= next.left) {
    turn_left_ = next.left - steps;
  } else {
    const u64 into = (steps - next.left) % config_.turn_steps;
    turn_left_ = into == 0 ? 0 : config_.turn_steps - into;
  }
  if (harts_[current_]->turn_over) turn_left_ = 0;
}

void Machine::idle_step() {
  RV_CHECK(idle());
  const Ticks deadline = idle_deadline();
  RV_CHECK(deadline != kNever && deadline > now());
  const u64 next = position_.steps + 1;
  time_.idle_offset = deadline.value - next / time_.steps_per_tick;
  set_position(Position{next});
  settle_devices();
}

/// All of RAM is as at power-on: images rely on zeros that no blob holds (an ELF's .bss).
void Machine::reset_step() {
  if (!initial_ram_known_) {
    throw Error(Exit::kFailure, "the guest resets at step " + std::to_string(position_.steps) +
                                    ", and what its memory held at power-on is not in the trace");
  }
  ++resets_made_;
  reset_pending_ = false;
  memory_.restore(initial_ram_);
  platform_->touched.everything = true;
  platform_->note_write(config_.ram_base, config_.ram_bytes, Writer::kLoader);
  engine_->walks().start_epoch();
  engine_->flush_translations();
  refill_rng_seed();
  time_.mtime_offset = 0;
  for (auto& device : devices_) device->reset();
  for (auto& hart : harts_) hart->reset(config_.reset_pc.value);
  current_ = 0;
  turn_left_ = config_.turn_steps;
  set_position(Position{position_.steps + 1});
  settle_devices();
}

void Machine::settle_devices() {
  platform_->devices_touched = false;
  const Ticks time = now();
  Ticks deadline = kNever;
  for (auto& device : devices_) deadline = std::min(deadline, device->advance_to(time));
  u64 levels = 0, asked = 0;
  for (const auto& device : devices_) {
    levels |= u64{device->irq_level()} << device->irq_source();
    asked |= u64{device->take_irq_request()} << device->irq_source();
  }
  for (auto& device : devices_) device->lines_changed(levels, asked);
  next_device_event_ = time_.deadline(deadline, position_);
}

Position Machine::step_in_hand() const {
  if (running_ != nullptr) return running_->position;
  return Position{position_.steps - (position_.steps == 0 ? 0 : 1)};
}

void Machine::set_position(Position position) {
  position_ = position;
  for (auto& hart : harts_) hart->position = hart->slice_start = position;
}

}  // namespace retrov
