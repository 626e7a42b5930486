"""Runs a command on a terminal of its own, sends its group signals as keys or by kill, and tells how it ended as JSON."""
import json, os, pty, select, signal, subprocess, sys, termios, time

told = json.loads(sys.argv[1])
master, slave = pty.openpty()
before = termios.tcgetattr(slave)
child = subprocess.Popen(told["command"], cwd=told["directory"], env=told["env"], stdin=slave, stdout=slave, stderr=slave,
                         preexec_fn=lambda: (os.setsid(), __import__("fcntl").ioctl(0, termios.TIOCSCTTY, 0)))
shown = b""
begun = time.monotonic()
due = None
sent = []
while child.poll() is None:
    if select.select([master], [], [], 0.005)[0]:
        shown += os.read(master, 65536)
    now = time.monotonic()
    if due is None and os.path.exists(told["file"]):
        due = [now + each for each in told["after"]]
    while due and now >= due[0]:
        due.pop(0)
        os.write(master, b"\x03")
        sent.append(now)
    if now - begun > 120:
        child.kill()
ended = time.monotonic()
while select.select([master], [], [], 0.05)[0]:
    try:
        shown += os.read(master, 65536)
    except OSError:
        break
print(json.dumps({"code": child.returncode, "seconds": ended - sent[0] if sent else None, "restored": termios.tcgetattr(slave) == before,
                  "shown": shown.decode("utf8", "replace")[-2000:]}))
