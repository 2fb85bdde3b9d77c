#!/usr/bin/env python3
"""A recorder that keeps the last part of a run is killed, again and again, whatever it is doing with its files: recover
joins them to a trace that replays with every hash, to the end of what the newest of them says."""
import json
import os
import random
import subprocess
import time

from _pty import GUESTS, RETROV, check

FOLDER = os.environ["TMPDIR"] + "/ring"
TRACE, JOINED, IMAGE = FOLDER + "/t.rvt", FOLDER + "/joined.rvt", os.environ["TMPDIR"] + "/image"
RING_BYTES = 256 << 10
KILLS = 10
ENVIRONMENT = dict(os.environ, RETROV_TRACE_DIR=os.environ["TMPDIR"] + "/traces")


def retrov(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([RETROV, *words], env=ENVIRONMENT, capture_output=True, text=True, check=False)


def parts() -> list[int]:
    """Numbers of the files behind the first."""
    prefix = "t.rvt.ring-"
    return sorted(int(name[len(prefix):]) for name in os.listdir(FOLDER) if name.startswith(prefix))


def end_of(trace: str) -> int:
    return json.loads(retrov("info", "--json", trace).stdout)["end"]["at"]


def killed(number: int) -> None:
    recorder = subprocess.Popen(
        [RETROV, "record", "-q", "-o", TRACE, "--ring", f"{RING_BYTES >> 10}K", "--key-frames", "every=100000",
         "-smp", "2", "-m", "4M", "-bios", "none", "-serial", "none", "-drive",
         f"file={IMAGE},format=raw,if=none,id=d0", "-device",
         "virtio-blk-device,drive=d0,bus=virtio-mmio-bus.0", GUESTS + "wander.elf"],
        env=ENVIRONMENT, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    # By then the oldest have been given up.
    while not (parts() and parts()[-1] > 8):
        check(recorder.poll() is None, "the recorder ends by itself")
        time.sleep(0.01)
    time.sleep(chance.uniform(0, 0.1))
    recorder.kill()
    recorder.communicate()
    # What was killed before it said what it begins with is no part.
    newest = max(end_of(path) for path in [TRACE] + [f"{TRACE}.ring-{part}" for part in parts()]
                 if retrov("info", path).returncode == 0)
    # Three quarters of the ring and more are closed files, and one is in hand, or two.
    kept = sum(os.path.getsize(f"{FOLDER}/{name}") for name in os.listdir(FOLDER))
    check(kept < 2.5 * RING_BYTES, f"kill {number}: {kept} bytes stay of a ring of {RING_BYTES}")
    said = retrov("info", TRACE)
    check(said.returncode == 0 and "retrov recover" in said.stderr, f"kill {number}: {said}")
    check(retrov("verify", "-q", TRACE).returncode == 0, f"kill {number}: the oldest part replays by itself")
    made = retrov("recover", TRACE, "-o", JOINED)
    check(made.returncode == 0 and "parts are joined" in made.stderr, f"kill {number}: {made}")
    whole = retrov("fsck", JOINED)
    check(whole.returncode == 0, f"kill {number}: {whole}")
    replayed = retrov("verify", JOINED)
    check(replayed.returncode == 0 and " from " in replayed.stdout, f"kill {number}: {replayed}")
    check(end_of(JOINED) == newest, f"kill {number}: it ends at {end_of(JOINED)} and not at {newest}")
    begin = json.loads(retrov("info", "--json", JOINED).stdout)["begin"]["at"]
    check(0 < begin < newest, f"kill {number}: it begins at {begin}")
    removed = retrov("rm", TRACE)
    check(removed.returncode == 0 and os.listdir(FOLDER) == ["joined.rvt"], f"{removed} leaves {os.listdir(FOLDER)}")
    os.unlink(JOINED)


seed = int(os.environ.get("RETROV_RING_SEED", time.time()))
print(f"RETROV_RING_SEED={seed}")
chance = random.Random(seed)
os.makedirs(FOLDER)
with open(IMAGE, "wb") as image:
    image.write(chance.randbytes(64 * 512))
for kill in range(KILLS):
    killed(kill)
