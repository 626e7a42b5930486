import { createHash } from "node:crypto"
import { isDeepStrictEqual } from "node:util"
import * as Either from "effect/Either"
import * as JsonText from "../JsonText.js"
import { type Identity, type Memory, maxContentBytes, type StructuredData } from "../Memory.js"
import { InvalidMemory } from "../MemoryError.js"
import type { Saved, SaveInput } from "../MemoryStore.js"
import * as TypeSchema from "../TypeSchema.js"
import { isProject, projectExpected } from "../vocabulary.js"
import { plain } from "./words.js"

/** What a memory says, as it will be stored. */
export type Draft = Pick<Memory, "type" | "content" | "summary" | "tags" | "structuredData" | "files" | "authoritative">

const maxSummaryBytes = 4096
const maxTags = 64
const maxTagBytes = 200
const maxFiles = 1000
const maxDataDepth = 32
const maxDataKeys = 1000

const bytes = (text: string) => Buffer.byteLength(text, "utf8")

/** SQLite stores UTF-8, which has no half characters. */
const wellFormed = (text: string) => text.replace(/\p{Surrogate}/gu, "\ufffd")

const distinct = (texts: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...new Set(texts.map((text) => wellFormed(plain(text)).trim()).filter((text) => text !== ""))
]

const problemOf = (draft: Draft): string | undefined => {
  if (draft.content.trim() === "") return "content is empty: say what is to be remembered"
  if (bytes(draft.content) > maxContentBytes) {
    return `content has ${bytes(draft.content)} bytes, ${maxContentBytes} are allowed: keep the essence, or save parts and link them`
  }
  if (draft.summary !== null && bytes(draft.summary) > maxSummaryBytes) {
    return `summary has ${bytes(draft.summary)} bytes, ${maxSummaryBytes} are allowed: one line will do`
  }
  if (draft.tags.length > maxTags) return `${draft.tags.length} tags, ${maxTags} are allowed: leave some out`
  const longTag = draft.tags.find((tag) => bytes(tag) > maxTagBytes)
  if (longTag !== undefined)
    return `tag ${JSON.stringify(longTag.slice(0, 40))}… is over ${maxTagBytes} bytes: shorten it`
  if (draft.files.length > maxFiles)
    return `${draft.files.length} files, ${maxFiles} are allowed: name the folder they are in`
  return undefined
}

/** What no type's schema says: data that is too deep, too wide, or names an object's own machinery. */
const dataProblem = (data: unknown): string | undefined => {
  const forbidden = JsonText.forbiddenKey(data)
  if (forbidden !== undefined) return `structured_data has the key "${forbidden}", which is not allowed`
  let keys = 0
  let level: ReadonlyArray<unknown> = [data]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDataDepth) return `structured_data nests more than ${maxDataDepth} levels deep`
    const next: Array<unknown> = []
    for (const value of level) {
      if (typeof value !== "object" || value === null) continue
      if (Array.isArray(value)) next.push(...value)
      else {
        const names = Object.keys(value)
        keys += names.length
        if (keys > maxDataKeys) return `structured_data has more than ${maxDataKeys} keys`
        next.push(...Object.values(value))
      }
    }
    level = next
  }
  return undefined
}

const plainText = (_: string, value: unknown) => (typeof value === "string" ? plain(value) : value)

/** The data in the form of its type's schema, as JSON will give it back. */
const structured = (draft: Draft): Either.Either<StructuredData | null, string> => {
  const given = draft.structuredData
  if (given === null) return Either.right(null)
  return Either.try({
    try: (): StructuredData => JSON.parse(wellFormed(JSON.stringify(given, plainText))),
    catch: (error) => `structured_data is not JSON: ${error instanceof Error ? error.message : String(error)}`
  }).pipe(
    Either.flatMap((data) => {
      const problem = dataProblem(data)
      return problem === undefined ? TypeSchema.decode(draft.type, data) : Either.left(problem)
    }),
    Either.filterOrLeft(
      (data) => bytes(JSON.stringify(data)) <= maxContentBytes,
      () => `structured_data is over ${maxContentBytes} bytes: keep the essence`
    )
  )
}

/** What a memory (or a change of one) says, and only that, in the form that is stored; or what is wrong with it. */
export const check = (draft: Draft): Either.Either<Draft, InvalidMemory> => {
  const summary = draft.summary === null ? "" : wellFormed(plain(draft.summary)).trim()
  const clean: Draft = {
    type: draft.type,
    authoritative: draft.authoritative,
    structuredData: draft.structuredData,
    content: wellFormed(plain(draft.content)),
    summary: summary === "" ? null : summary,
    tags: distinct(draft.tags),
    files: distinct(draft.files)
  }
  const problem = problemOf(clean)
  if (problem !== undefined) return Either.left(new InvalidMemory({ message: problem }))
  return Either.mapBoth(structured(clean), {
    onLeft: (message) => new InvalidMemory({ message }),
    onRight: (structuredData) => ({ ...clean, structuredData })
  })
}

/** What is saved, by somebody whose project has a name that people can read. */
export const fromInput = (input: SaveInput, { project }: Identity): Either.Either<Draft, InvalidMemory> =>
  isProject(project)
    ? check({
        type: input.type ?? "fact",
        content: input.content,
        summary: input.summary ?? null,
        tags: input.tags ?? [],
        structuredData: input.structuredData ?? null,
        files: input.files ?? [],
        authoritative: input.authoritative ?? false
      })
    : Either.left(
        new InvalidMemory({
          message: `project ${JSON.stringify(project.slice(0, 40))} is not valid: give ${projectExpected}`
        })
      )

/** Equal for equal text, whatever white space is around it. */
export const contentHash = (content: string): Buffer => createHash("sha256").update(content.trim()).digest()

/** What is known after the same content was saved again: what it says stays, and what it lacked is added. */
export const merge = (old: Memory, draft: Draft): Either.Either<Draft, InvalidMemory> => {
  const data = { ...draft.structuredData, ...old.structuredData }
  return check({
    type: old.type,
    content: old.content,
    summary: old.summary ?? draft.summary,
    tags: [...old.tags, ...draft.tags],
    structuredData: Object.keys(data).length === 0 ? (old.structuredData ?? draft.structuredData) : data,
    files: [...old.files, ...draft.files],
    authoritative: old.authoritative || draft.authoritative
  })
}

/** The answer to a save that was merged: nothing of what was said is lost in silence. */
export const merged = (memory: Memory, draft: Draft): Saved => {
  const differs = Object.entries(draft.structuredData ?? {}).some(
    ([key, value]) => !isDeepStrictEqual(memory.structuredData?.[key], value)
  )
  const kept = [
    ...(draft.summary === null || draft.summary === memory.summary ? [] : (["summary"] as const)),
    ...(differs ? (["structuredData"] as const) : [])
  ]
  return { memory, outcome: "merged", ...(kept.length === 0 ? {} : { kept }) }
}
