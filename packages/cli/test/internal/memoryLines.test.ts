import { Memory } from "@contextfs/memory/Memory"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { width } from "../../src/internal/layout.js"
import { asSaved, memoryLines, memoryText } from "../../src/internal/memoryLines.js"
import type { Session } from "../../src/Session.js"
import { evil, harmful, random } from "../harness.js"
import { session } from "../session.js"

const memory = (more: object = {}): Memory =>
  Schema.decodeUnknownSync(Memory)({
    id: "abcdef123456",
    type: "decision",
    summary: null,
    content: "We hash with argon2id.\nRationale: it is slow.",
    tags: ["code-agent", "auth"],
    structuredData: null,
    project: "shop",
    namespace: "global",
    trust: "agent",
    sourceTool: "agent-code",
    role: "code",
    files: [],
    authoritative: false,
    createdAt: Date.UTC(2026, 10, 23, 13, 5),
    updatedAt: 0,
    supersededBy: null,
    ...more
  })

const facts = "abcdef123456  decision  code  2026-11-23 13:05  code-agent,auth"
const now = Date.UTC(2026, 10, 23, 13, 8)
const lines = (memories: ReadonlyArray<Memory>, of: Session) => memoryLines(memories.map(asSaved), of, now)

describe("memories in lines", () => {
  it("one line each where there is room, two where there is little", () => {
    expect(lines([memory()], session())).toBe(`${facts}  We hash with argon2id.\n`)
    const ago = facts.replace("2026-11-23 13:05", "3 min ago")
    expect(lines([memory()], session(80))).toBe(`${ago}\n  We hash with argon2id.\n`)
    expect(lines([memory({ supersededBy: "123456abcdef" })], session())).toContain("(superseded by 123456abcdef) We")
  })

  it("never wider than the terminal, and nothing in them controls it", () => {
    const source = random(9)
    for (let turn = 0; turn < 500; turn++) {
      const text = evil(source)
      const one = memory({ content: text, summary: text, tags: [text], role: text, project: text, agentId: text })
      const columns = 40 + source.below(160)
      const shown = lines([memory(), one], session(columns))
      expect(shown).not.toMatch(harmful)
      for (const line of shown.split("\n")) expect(width(line), JSON.stringify(text)).toBeLessThanOrEqual(columns)
      expect(memoryText(one, session(columns))).not.toMatch(harmful)
    }
  })
})
