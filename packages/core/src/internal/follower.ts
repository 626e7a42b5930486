/**
 * Follows the output files of all agents with one timer: a plain read at the known offset, every 50 ms, and every 250 ms
 * for a file that has been silent for 2 s. Reading at the end of a file costs next to nothing, and needs no watcher.
 */
import * as fs from "node:fs"

export const tickMillis = 50
const silentAfterTicks = 2_000 / tickMillis
const silentEveryTicks = 250 / tickMillis
/** A longer line is dropped and counted: no program's event is that long. */
const maxLineBytes = 8 * 1024 * 1024
/** At most this much of one file in one tick, so that a flood does not starve the others. */
const maxTickBytes = 16 * 1024 * 1024

export interface LineSink {
  /** One whole line, without its newline. */
  readonly line: (line: string) => void
  /** Bytes that have come since the last call, in lines or not. */
  readonly grew: (bytes: number) => void
  readonly overlong: () => void
}

/** Cuts bytes into lines; searches new bytes only, joins pieces once, decodes whole lines only. */
export class LineSplitter {
  private pieces: Array<Buffer> = []
  private pending = 0
  private skipping = false

  constructor(private readonly sink: LineSink) {}

  push(chunk: Buffer): void {
    let from = 0
    for (;;) {
      const newline = chunk.indexOf(10, from)
      if (newline === -1) break
      this.emit(chunk.subarray(from, newline))
      from = newline + 1
    }
    if (from < chunk.length) this.keep(chunk.subarray(from))
  }

  /** What is left without a newline is a line as well. */
  end(): void {
    if (this.pending > 0) this.emit(Buffer.alloc(0))
  }

  private keep(rest: Buffer): void {
    if (this.skipping) return
    if (this.pending + rest.length > maxLineBytes) {
      this.pieces = []
      this.pending = 0
      this.skipping = true
      this.sink.overlong()
      return
    }
    // The chunk's buffer is read into again: keep a copy.
    this.pieces.push(Buffer.from(rest))
    this.pending += rest.length
  }

  private emit(last: Buffer): void {
    if (this.skipping) {
      this.skipping = false
      return
    }
    if (this.pending + last.length > maxLineBytes) {
      this.sink.overlong()
    } else {
      const text =
        this.pieces.length === 0 ? last.toString("utf8") : Buffer.concat([...this.pieces, last]).toString("utf8")
      this.sink.line(text.endsWith("\r") ? text.slice(0, -1) : text)
    }
    this.pieces = []
    this.pending = 0
  }
}

class Followed {
  private offset = 0
  private silentTicks = 0
  private readonly splitter: LineSplitter

  constructor(
    private readonly fd: number,
    private readonly sink: LineSink
  ) {
    this.splitter = new LineSplitter(sink)
  }

  tick(count: number, buffer: Buffer): void {
    if (this.silentTicks >= silentAfterTicks && count % silentEveryTicks !== 0) return
    this.silentTicks = this.read(buffer, maxTickBytes) > 0 ? 0 : this.silentTicks + 1
  }

  read(buffer: Buffer, atMost: number): number {
    let total = 0
    while (total < atMost) {
      const bytes = fs.readSync(this.fd, buffer, 0, buffer.length, this.offset)
      if (bytes === 0) break
      this.offset += bytes
      total += bytes
      this.splitter.push(buffer.subarray(0, bytes))
    }
    if (total > 0) this.sink.grew(total)
    return total
  }

  finish(): void {
    this.splitter.end()
    fs.closeSync(this.fd)
  }
}

export interface Following {
  /** Reads as much as in one tick; false: all that is there has been read. */
  readonly drain: () => boolean
  /** Hands out an unfinished last line, and stops. */
  readonly finish: () => void
}

export class Follower {
  private readonly files = new Set<Followed>()
  private readonly clocks = new Set<() => void>()
  private readonly buffer = Buffer.allocUnsafe(64 * 1024)
  private count = 0

  follow(file: string, sink: LineSink): Following {
    const followed = new Followed(fs.openSync(file, fs.constants.O_RDONLY), sink)
    this.files.add(followed)
    return {
      drain: () => followed.read(this.buffer, maxTickBytes) > 0,
      finish: () => {
        if (this.files.delete(followed)) followed.finish()
      }
    }
  }

  /** Calls `clock` on every tick, after the files have been read, until the returned function is called. */
  onTick(clock: () => void): () => void {
    this.clocks.add(clock)
    return () => this.clocks.delete(clock)
  }

  tick(): void {
    this.count++
    for (const file of this.files) file.tick(this.count, this.buffer)
    for (const clock of this.clocks) clock()
  }
}
