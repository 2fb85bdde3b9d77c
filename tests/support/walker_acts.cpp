// What a walk does at its stops: wishes, writes, branches, throw-away copies.
#include "replay/report_fields.hpp"
#include "replay/verify.hpp"
#include "tests/support/walker.hpp"

namespace retrov::test {

namespace {

constexpr u64 kWindow = u64{3} << 30;          ///< Where the guest shows `plain`, another page of it in each root.
constexpr u64 kHighRam = u64{0} - (1u << 30);  ///< Where it shows RAM.
constexpr std::size_t kMostLines = 8;
constexpr u64 kPage = 4096;

u64 guest_symbol(const std::string& name) {
  static std::map<std::string, u64> known;
  const auto found = known.find(name);
  if (found != known.end()) return found->second;
  return known[name] = symbol("wander", name);
}

u64 satp_of(const std::string& root) { return u64{8} << 60 | guest_symbol(root) / kPage; }

std::vector<u8> bytes_of(u64 value, u64 count) {
  std::vector<u8> bytes;
  for (u64 i = 0; i < count; ++i) bytes.push_back(static_cast<u8>(value >> (8 * i)));
  return bytes;
}

DebuggerWrite memory_write(u64 address, std::vector<u8> bytes) {
  return {DebuggerWrite::Space::kPhysicalMemory, 0, address, std::move(bytes)};
}

}  // namespace

// --- stops ---

WatchRange Walker::any_range(Random& random) const {
  static const char* const kPlaces[] = {"shared", "swapped", "seen", "constant", "plain", "plain", "buffer", "queue",
                                        "work",   "ticks",   "calls"};
  static constexpr u64 kLengths[] = {1, 2, 3, 4, 8, 8, 16, 100, 5000};
  static constexpr WatchKind kKinds[] = {WatchKind::kWrite, WatchKind::kWrite, WatchKind::kRead, WatchKind::kAccess};
  WatchRange range;
  const u64 place = guest_symbol(kPlaces[random.below(11)]);
  const u64 offset = random.below(3) == 0 ? random.below(80) : random.below(6) == 0 ? 4080 + random.below(24) : 0;
  range.address = VirtAddr{place + offset};
  range.length_bytes = kLengths[random.below(9)];
  range.kind = kKinds[random.below(4)];
  range.physical = random.below(4) == 0;
  if (range.physical) return range;
  switch (random.below(5)) {
    case 0:
      range.address = VirtAddr{kWindow + random.below(130)};
      range.satp = random.below(3) == 0 ? 0 : satp_of(random.below(2) == 0 ? "root_a" : "root_b");
      break;
    case 1:
      range.address = VirtAddr{kHighRam + (guest_symbol("shared") - kRamBase.value) - random.below(8)};
      break;
    case 2:
      range.satp = satp_of(random.below(2) == 0 ? "root_a" : "root_b");
      break;
    default:
      break;
  }
  return range;
}

bool Walker::wish(const WalkOp& op) {
  Random random(op.a);
  wish_ = {};
  StopRequest& request = wish_.request;
  static const char* const kFunctions[] = {"compute", "add", "swap", "store_across", "patched", "age", "handler",
                                           "store_silently", "look_through_window", "put_char"};
  const u64 kinds = random.below(8);
  if (kinds < 5) {
    for (u64 i = 0; i <= random.below(3); ++i) {
      const u64 address = random.below(2) == 0 ? guest_symbol(kFunctions[random.below(10)]) : any_pc(random.below(~0u));
      request.breakpoints.push_back(VirtAddr{address});
    }
  }
  if (kinds > 2) {
    for (u64 i = 0; i <= random.below(3); ++i) {
      WatchRange range = any_range(random);
      // Several that one access touches.
      if (i > 0 && random.below(2) == 0) {
        const WatchRange& before = request.watches.back();
        range = {VirtAddr{before.address.value + random.below(3)}, range.length_bytes, range.kind, before.satp,
                 before.physical, false};
      }
      request.watches.push_back(range);
    }
  }
  static constexpr u16 kCsrs[] = {0x341, 0x180, 0x340};
  if (random.below(5) == 0) request.csr_writes.push_back(kCsrs[random.below(3)]);
  request.device_writes = random.below(4) == 0;
  const bool unchanged = random.below(6) == 0;
  for (WatchRange& range : request.watches) {
    range.unchanged = unchanged;
    // What a device writes must mean the same to all harts.
    const bool everywhere = range.physical || (range.address.value >> 31 == 1 && range.satp == 0);
    const VirtAddr buffer{guest_symbol("buffer")};
    if (request.device_writes && !everywhere) range = {buffer, 8, range.kind, 0, false, unchanged};
  }
  wish_.conditions = random.below(3) == 0;
  if (wish_.conditions) request.rules = &rules_;
  session().set_stops(request);
  std::string text = "stops:";
  for (const VirtAddr address : request.breakpoints) text += " b " + hex(address.value);
  for (const WatchRange& range : request.watches) {
    text += " w" + std::to_string(static_cast<int>(range.kind)) + (range.physical ? "p " : " ") +
            hex(range.address.value) + "+" + std::to_string(range.length_bytes) + "/" + hex(range.satp);
  }
  for (const u16 csr : request.csr_writes) text += " csr " + hex(csr);
  say(text + (request.device_writes ? " dma" : "") + (unchanged ? " unchanged" : "") +
      (wish_.conditions ? " conditions" : ""));
  return true;
}

bool Walker::wish_nothing(const WalkOp&) {
  wish_ = {};
  session().set_stops({});
  return true;
}

bool Walker::set_modes(const WalkOp& op) {
  session().set_step_irq(op.a % 2 == 0 ? StepIrq::kSkip : StepIrq::kEnter);
  session().set_edge(op.b % 3 == 0 ? Edge::kGo : Edge::kStop);
  only_hart_ = op.c % 3 == 0 && !copy_ ? std::optional(any_hart(op.c / 3)) : std::nullopt;
  session().set_only_hart(only_hart_);
  say(std::string("modes: ") + (op.a % 2 == 0 ? "skip" : "enter") + (op.b % 3 == 0 ? " go" : " stop") +
      (only_hart_ ? " hart " + std::to_string(*only_hart_) + " alone" : ""));
  return true;
}

// --- the world, and what is done by hand ---

bool Walker::type(const WalkOp& op) {
  if (!session().live() || copy_) return false;
  const std::string text = op.a % 30 == 0 ? "Q" : std::string(1 + op.b % 3, static_cast<char>('a' + op.a % 15));
  say("type " + text);
  walked_.type(text);
  return true;
}

Input Walker::any_write(Random& random) {
  static const char* const kPlaces[] = {"shared", "swapped", "seen", "plain", "constant", "buffer"};
  DebuggerWrite write;
  switch (random.below(5)) {
    case 0: {
      // An instruction, which is stored to by the guest as well.
      write = memory_write(guest_symbol("patched"), bytes_of(0x00050513 | random.below(0x800) << 20, 4));
      break;
    }
    case 1: {
      // What the walker has set.
      const u64 entry = guest_symbol("leaves") + 8 * ((guest_symbol("plain") / kPage + random.below(3)) % 512);
      std::array<u8, 8> old{};
      (void)session().machine().read_physical(PhysAddr{entry}, old);
      write = memory_write(entry, std::vector<u8>(old.begin(), old.end()));
      write.bytes[0] &= 0x3f;
      break;
    }
    case 2:
      write = {DebuggerWrite::Space::kRegister, static_cast<u8>(any_hart(random.below(8))), 33 + random.below(32),
               bytes_of(random.below(~u64{0}), 8)};
      break;
    default:
      write = memory_write(guest_symbol(kPlaces[random.below(6)]) + random.below(8),
                           bytes_of(random.below(~u64{0}), 1 + random.below(8)));
  }
  return {kMachineItself, write};
}

/// A throw-away copy begins with it, if there is to be one. What is reported stays so if it is still the next.
void Walker::note_hand(const Input& input) {
  const Position here = session().position();
  const bool begins = session().scratch() == Scratch::kOn && !copy_;
  if (begins) {
    auto copy = std::make_unique<Truth>(truth(), nullptr, here);
    copy_from_ = here;
    access_before_copy_ = reported_access_;
    instruction_before_copy_ = reported_instruction_;
    copy_ = std::move(copy);
  }
  if (copy_) copy_->apply({{input}, copy_->machine().idle() ? copy_->machine().now() : Ticks{}});
}

bool Walker::write(const WalkOp& op) {
  Random random(op.a);
  const Input input = any_write(random);
  const auto& what = std::get<DebuggerWrite>(input.what);
  const bool in_copy = copy_ || session().scratch() == Scratch::kOn;
  const bool allowed = !is_off() && (in_copy || (session().live() && !in_past()));
  say("write " + hex(what.where) + (in_copy ? " in a copy" : ""));
  const Position here = session().position();
  const unsigned turn = session().machine().current_hart();
  const VirtAddr pc = session().machine().hart_summary(turn).pc;
  if (allowed) note_hand(input);
  try {
    if (what.space == DebuggerWrite::Space::kRegister) {
      u64 value = 0;
      for (unsigned i = 0; i < 8; ++i) value |= u64{what.bytes[i]} << (8 * i);
      session().write_register(what.hart, static_cast<RegisterId>(what.where), value);
    } else {
      session().write_memory(0, AddressSpace::kPhysical, what.where, what.bytes);
    }
    if (!allowed) throw WalkFailure{"was not refused"};
  } catch (const Error& error) {
    if (allowed) throw;
    check_state();
    return false;
  }
  const Machine& machine = session().machine();
  const bool same = machine.current_hart() == turn && machine.hart_summary(turn).pc == pc;
  if (reported_instruction_ == here && same) reported_instruction_ = session().position();
  moved();
  return true;
}

bool Walker::reset(const WalkOp&) {
  const bool in_copy = copy_ || session().scratch() == Scratch::kOn;
  if (is_off() || !(in_copy || (session().live() && !in_past()))) return false;
  note_hand({kMachineItself, SystemReset{}});
  session().reset_machine();
  reported_instruction_.reset();
  moved();
  return true;
}

// --- lines of history ---

bool Walker::set_scratch(const WalkOp& op) {
  const bool on = op.a % 3 != 0;
  say(on ? "scratch on" : "scratch off");
  session().set_scratch(on ? Scratch::kOn : Scratch::kOff);
  if (!on) drop_copy();
  check_state();
  return true;
}

bool Walker::fork(const WalkOp&) {
  if (copy_ || is_off() || (session().live() && !in_past()) || lines_.size() >= kMostLines) return false;
  const Position here = session().position();
  const std::string name = session().fork("");
  say("fork " + name);
  lines_.at(line_).stood_at = here;
  auto truth = std::make_unique<Truth>(*lines_.at(line_).truth, &session().history(), here);
  line_ = name;
  lines_[line_].truth = std::move(truth);
  if (session().end() != here) throw WalkFailure{"the branch does not end where it leaves"};
  moved();
  return true;
}

bool Walker::switch_branch(const WalkOp& op) {
  auto wanted = lines_.begin();
  std::advance(wanted, op.a % lines_.size());
  say("switch " + wanted->first);
  const Position here = copy_ ? copy_from_ : session().position();
  drop_copy();
  if (!session().switch_to(wanted->first)) throw WalkFailure{"did not arrive"};
  if (wanted->first != line_) {
    lines_.at(line_).stood_at = here;
    reported_access_.reset();
    reported_instruction_.reset();
    line_ = wanted->first;
    if (session().position() != wanted->second.stood_at) throw WalkFailure{"does not stand where it stood"};
  }
  moved();
  return true;
}

bool Walker::power_cycle(const WalkOp&) {
  if (!session().live() || lines_.size() >= kMostLines) return false;
  const Position here = copy_ ? copy_from_ : session().position();
  drop_copy();
  const std::string name = session().power_cycle();
  say("power-cycle: " + name);
  reported_access_.reset();
  reported_instruction_.reset();
  if (!lines_.contains(name)) {
    lines_.at(line_).stood_at = here;
    lines_[name].truth = std::make_unique<Truth>(session().history());
    line_ = name;
  }
  moved();
  return true;
}

// --- looking ---

bool Walker::count_executions(const WalkOp& op) {
  if (copy_) return false;
  const u64 pc = any_pc(op.a);
  std::vector<Position> all;
  for (Position p; p <= truth().end(); ++p.steps) {
    const TrueStep& step = truth().at(p);
    if (step.hart >= 0 && !step.interrupt && step.pc == pc) all.push_back(p);
  }
  const u64 number = 1 + op.b % (all.size() + 1);
  say("execution " + std::to_string(number) + " of " + hex(pc));
  const auto found = session().execution(VirtAddr{pc}, number);
  const auto expected = number <= all.size() ? std::optional(all[number - 1]) : std::nullopt;
  check_state();
  if (found != expected) {
    throw WalkFailure{"found at " + (found ? std::to_string(found->steps) : "none") + ", not at " +
                      (expected ? std::to_string(expected->steps) : "none")};
  }
  return true;
}

bool Walker::look_elsewhere(const WalkOp& op) {
  if (copy_) return false;
  const Position there{op.a % (session().end().steps + 1)};
  say("look at " + std::to_string(there.steps));
  bool same = true;
  session().look_at(there, [&](const Machine& machine, const Snapshot& snapshot) {
    same = snapshot.at == there;
    for (unsigned h = 0; h < machine.hart_count(); ++h) {
      for (std::size_t i = 0; i < kSeen.size(); ++i) {
        same = same && machine.read_register(h, kSeen[i]) == truth().at(there).harts[h][i];
      }
    }
  });
  check_state();
  if (!same) throw WalkFailure{"the machine there is another one"};
  return true;
}

void Walker::finish() {
  drop_copy();
  session().finish(Outcome::Kind::kStopped);
  moved();
  const Verdict verdict = verify(session().history());
  if (verdict.identical()) return;
  std::string what = "what was recorded does not replay: " + verdict.divergence->detail + " at step " +
                     std::to_string(verdict.divergence->at.steps) + ":";
  for (const DifferingComponent& component : verdict.divergence->components) what += " " + component.name;
  throw WalkFailure{what};
}

}  // namespace retrov::test
