#include "tests/support/truth.hpp"

#include <string_view>


namespace retrov::test {

namespace {

/// Bytes that an instruction loads or stores; 0: it does neither. "c.lwsp" is "lw".
unsigned access_bytes(std::string_view name) {
  if (name.starts_with("c.")) name.remove_prefix(2);
  if (name.ends_with("sp") && name.size() > 3) name.remove_suffix(2);
  if (name.starts_with("amo") || name.starts_with("lr.") || name.starts_with("sc.")) {
    return name.find(".d") != std::string_view::npos ? 8 : 4;
  }
  if (name == "flw" || name == "fsw" || name == "fld" || name == "fsd") name.remove_prefix(1);
  static constexpr std::pair<std::string_view, unsigned> kSizes[] = {
      {"lb", 1}, {"lbu", 1}, {"lh", 2}, {"lhu", 2}, {"lw", 4}, {"lwu", 4}, {"ld", 8},
      {"sb", 1}, {"sh", 2},  {"sw", 4}, {"sd", 8}};
  for (const auto& [known, bytes] : kSizes) {
    if (name == known) return bytes;
  }
  return 0;
}

bool is_hand(const Input& input) {
  return std::holds_alternative<DebuggerWrite>(input.what) || std::holds_alternative<SchedMask>(input.what);
}

bool all_by_hand(const Batch& batch) { return std::all_of(batch.inputs.begin(), batch.inputs.end(), is_hand); }

}  // namespace

u8 walk_disk_byte(u64 offset) { return static_cast<u8>((offset ^ offset >> 7) * 37 + (offset >> 9)); }

bool Truth::Disk::read_block(u64 index, std::span<u8, kBlockBytes> out) {
  for (u64 i = 0; i < kBlockBytes; ++i) {
    const u64 at = index * kBlockBytes + i;
    out[i] = at < kWalkDiskBytes ? walk_disk_byte(at) : 0;
  }
  return true;
}

Truth::Truth(const History& history) : history_(&history) { build(history.board()); }

Truth::Truth(const Truth& parent, const History* history, Position from) : history_(history), from_(from) {
  const History& told = history != nullptr ? *history : *parent.history_;
  steps_.assign(parent.steps_.begin(), parent.steps_.begin() + static_cast<std::ptrdiff_t>(from.steps));
  for (const Handler& handler : parent.handlers_) {
    if (handler.taken_at >= from) continue;
    handlers_.push_back(handler);
    if (handler.closed_at > from) handlers_.back().closed_at = kEndOfTime;
  }
  build(told.board());
  replayer_ = std::make_unique<Replayer>(told);
  if (drive(*machine_, *replayer_, from, nullptr, never_) != Halt::kLimit && machine_->position() != from) {
    throw Error(Exit::kFailure, "the truth: the history does not lead to where another leaves it");
  }
  if (history == nullptr) replayer_.reset();
}

void Truth::build(const BoardConfig& board) {
  const std::vector<DiskBase*> bases(board.disks.size(), &disk_);
  machine_ = build_board(board, EngineKind::kReference, screen_, bases);
  if (history_ != nullptr) replayer_ = std::make_unique<Replayer>(*history_);
  queue_at_ = symbol("wander", "queue");
  header_at_ = symbol("wander", "header");
  buffer_at_ = symbol("wander", "buffer");
  status_at_ = symbol("wander", "status");
}

u64 Truth::read_word(u64 physical, unsigned size_bytes) const {
  std::array<u8, 8> bytes{};
  if (!machine_->memory().contains(PhysAddr{physical}, size_bytes)) return 0;
  machine_->memory().read(PhysAddr{physical}, std::span(bytes).first(size_bytes));
  u64 word = 0;
  for (unsigned i = 0; i < size_bytes; ++i) word |= u64{bytes[i]} << (8 * i);
  return word;
}

u64 Truth::read_bytes(const MadeAccess& access) const {
  u64 word = 0;
  for (unsigned i = 0; i < access.size_bytes; ++i) word |= read_word(access.physical[i], 1) << (8 * i);
  return word;
}

TrueStep Truth::look_before(Intent& intent) {
  TrueStep step;
  step.hash = machine_->hash();
  for (unsigned h = 0; h < machine_->hart_count(); ++h) {
    Sight& sight = step.harts.emplace_back();
    for (std::size_t i = 0; i < kSeen.size(); ++i) sight[i] = machine_->read_register(h, kSeen[i]).value();
  }
  step.turn = intent.hart = machine_->current_hart();
  const Hart& hart = machine_->hart(intent.hart);
  intent.retired = hart.retired_now();
  intent.sp = hart.x[2];
  intent.privilege = hart.priv;
  intent.used_index = static_cast<u16>(read_word(queue_at_ + 4096 + 2, 2));
  for (unsigned half = 0; half < 2; ++half) {
    const auto place = machine_->translate_for_debugger(intent.hart, VirtAddr{hart.pc + 2 * half});
    std::array<u8, 2> bytes{};
    if (!place || !machine_->read_physical(*place, bytes)) return step;  // Boot ROM is no RAM.
    intent.raw |= (bytes[0] | static_cast<u32>(bytes[1]) << 8) << (16 * half);
    if (insn_length_bytes(intent.raw) == 2) break;
  }
  intent.row = find_insn(intent.raw);
  if (intent.row == nullptr) return step;
  if (const unsigned size = access_bytes(intent.row->name); size != 0) intend_access(intent, size);
  return step;
}

void Truth::intend_access(Intent& intent, unsigned size_bytes) const {
  const Hart& hart = machine_->hart(intent.hart);
  const Operands operands = decode_operands(intent.row->format, intent.raw);
  const bool plain = intent.row->kind == Kind::kLoad || intent.row->kind == Kind::kStore;
  const bool floats = intent.row->name.starts_with('f') || intent.row->name.starts_with("c.f");
  MadeAccess access;
  access.address = hart.x[operands.rs1] + (plain || floats ? static_cast<u64>(i64{operands.imm}) : 0);
  access.size_bytes = size_bytes;
  std::string_view name = intent.row->name;
  if (name.starts_with("c.")) name.remove_prefix(2);
  access.reads = name.starts_with('l') || name.starts_with("fl") || name.starts_with("amo");
  access.writes = name.starts_with('s') || name.starts_with("fs") || name.starts_with("amo");
  access.satp = hart.priv == Priv::kMachine ? 0 : hart.csr.satp;
  for (unsigned i = 0; i < size_bytes; ++i) {
    const auto place = machine_->translate_for_debugger(intent.hart, VirtAddr{access.address + i});
    if (!place) return;
    access.physical[i] = place->value;
  }
  access.before = read_bytes(access);
  intent.access = access;
}

/// A step was made; if by an instruction of the hart that was expected, what it did is known.
void Truth::look_behind(TrueStep& step, const Intent& intent) {
  step.powers_off = machine_->power().off;
  const u16 used = static_cast<u16>(read_word(queue_at_ + 4096 + 2, 2));
  if (used == static_cast<u16>(intent.used_index + 1)) {
    if (read_word(header_at_, 4) == 0) step.device_writes.push_back({buffer_at_, 512});
    step.device_writes.push_back({status_at_, 1});
    step.device_writes.push_back({queue_at_ + 4096 + 4 + 8 * u64{intent.used_index % 8u}, 8});
    step.device_writes.push_back({queue_at_ + 4096 + 2, 2});
  }
  const Position from{machine_->position().steps - 1};
  if (machine_->stepping(intent.hart).last_step != from) return;
  const Hart& hart = machine_->hart(intent.hart);
  step.hart = static_cast<int>(intent.hart);
  step.before = step.harts[intent.hart];
  step.pc = step.before[2];
  for (std::size_t i = 0; i < kSeen.size(); ++i) step.after[i] = machine_->read_register(intent.hart, kSeen[i]).value();
  step.waits = hart.waiting;
  const bool retired = hart.retired_now() != intent.retired;
  step.interrupt = !retired && static_cast<i64>(hart.csr.mcause) < 0 && hart.csr.mepc == step.pc;
  if (retired) note_access(step, intent);
  note_handlers(step, intent);
}

void Truth::note_access(TrueStep& step, const Intent& intent) const {
  if (intent.row->name.starts_with("csrr")) {
    const bool writes = intent.row->name.starts_with("csrrw") || (intent.raw >> 15 & 31) != 0;
    if (writes) step.csr = static_cast<u16>(intent.raw >> 20);
  }
  const Operands operands = decode_operands(intent.row->format, intent.raw);
  const bool failed = intent.row->name.starts_with("sc.") && machine_->hart(intent.hart).x[operands.rd] != 0;
  if (!intent.access || failed) return;
  step.access = intent.access;
  step.access->after = read_bytes(*intent.access);
}

void Truth::note_handlers(const TrueStep& step, const Intent& intent) {
  const Position now = machine_->position();
  const unsigned hart = intent.hart;
  if (step.interrupt) {
    handlers_.push_back({hart, Position{now.steps - 1}, kEndOfTime, false, step.pc, intent.sp, intent.privilege});
  }
  if (intent.row == nullptr || intent.row->name != "mret" || step.interrupt) return;
  const Hart& state = machine_->hart(hart);
  const auto is_of = [&](const Handler& handler) { return handler.hart == hart && handler.closed_at == kEndOfTime; };
  const auto match = std::find_if(handlers_.rbegin(), handlers_.rend(), [&](const Handler& handler) {
    return is_of(handler) && handler.pc == state.pc && handler.sp == state.x[2] && handler.privilege == state.priv;
  });
  if (match == handlers_.rend()) return;
  match->returned = true;
  for (auto handler = match.base() - 1; handler != handlers_.end(); ++handler) {
    if (is_of(*handler)) handler->closed_at = now;
  }
}

void Truth::go(Position to) {
  while (machine_->position() < to) {
    Intent intent;
    TrueStep step = look_before(intent);
    const Position from = machine_->position();
    if (history_ != nullptr) {
      const Chain<Event>& events = history_->events();
      const std::size_t next = history_->first_event_at(from);
      if (next < events.size() && events[next].at == from) step.by_hand = all_by_hand(events[next].batch);
    }
    InputSource& source = replayer_ ? static_cast<InputSource&>(*replayer_) : no_inputs_;
    const Halt halt = drive(*machine_, source, Position{from.steps + 1}, nullptr, never_);
    if (machine_->position().steps != from.steps + 1) {
      throw Error(Exit::kFailure, "the truth comes to rest at step " + std::to_string(from.steps) + ", not at " +
                                      std::to_string(to.steps) + " (" + std::to_string(static_cast<int>(halt)) + ")");
    }
    look_behind(step, intent);
    // A reset forgets what was open.
    if (step.hart < 0 && machine_->hart(0).pc == 0x1000) {
      for (Handler& handler : handlers_) handler.closed_at = std::min(handler.closed_at, machine_->position());
    }
    steps_.push_back(std::move(step));
  }
}

void Truth::extend(Position end) {
  if (end <= machine_->position()) return;
  next_.reset();
  go(end);
}

void Truth::apply(const Batch& batch) {
  next_.reset();
  Intent intent;
  TrueStep step = look_before(intent);
  step.by_hand = true;
  machine_->apply(batch);
  look_behind(step, intent);
  steps_.push_back(std::move(step));
}

std::optional<u64> Truth::identity(u64 address) const {
  if (machine_->memory().contains(PhysAddr{address}, 1)) return address;
  return std::nullopt;
}

const TrueStep& Truth::at(Position at) {
  if (at < end()) return steps_[at.steps];
  if (!next_) {
    const Snapshot here = machine_->snapshot();
    const std::deque<Handler> handlers = handlers_;
    Intent intent;
    TrueStep step = look_before(intent);
    if (!machine_->power().off && !machine_->idle()) {
      machine_->run_until(Position{here.at.steps + 1}, nullptr);
      look_behind(step, intent);
    }
    machine_->restore(here);
    handlers_ = handlers;
    next_ = std::move(step);
  }
  return *next_;
}

}  // namespace retrov::test
