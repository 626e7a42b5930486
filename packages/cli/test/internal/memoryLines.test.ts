import { Memory } from "@contextfs/memory/Memory"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { width } from "../../src/internal/layout.js"
import { memoryLines, memoryText } from "../../src/internal/memoryLines.js"
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

describe("memories in lines", () => {
  it("one line each where there is room, two where there is little", () => {
    expect(memoryLines([memory()], session())).toBe(`${facts}  We hash with argon2id.\n`)
    expect(memoryLines([memory()], session(80))).toBe(`${facts}\n  We hash with argon2id.\n`)
    expect(memoryLines([memory({ supersededBy: "123456abcdef" })], session())).toContain(
      "(superseded by 123456abcdef) We"
    )
  })

  it("never wider than the terminal, and nothing in them controls it", () => {
    const source = random(9)
    for (let turn = 0; turn < 500; turn++) {
      const text = evil(source)
      const one = memory({ content: text, summary: text, tags: [text], role: text, project: text, agentId: text })
      const columns = 40 + source.below(160)
      const lines = memoryLines([memory(), one], session(columns))
      expect(lines).not.toMatch(harmful)
      for (const line of lines.split("\n")) expect(width(line), JSON.stringify(text)).toBeLessThanOrEqual(columns)
      expect(memoryText(one, session(columns))).not.toMatch(harmful)
    }
  })
})
