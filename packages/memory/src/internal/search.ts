import type { Constructor } from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import type { Hit, SearchQuery } from "../MemoryStore.js"
import { columns, decodeStored, limitOf, whereMemory } from "./rows.js"
import { identifiers, namespaceWord, projectWord, queryWords } from "./words.js"

/** Candidates that are ranked with care. */
const poolSize = 200
/** Of a long text, the rarest words that occur at all are searched for. */
const maxWords = 32
const maxWordsRead = 128
/** Counts stop here: beyond it a word tells nothing more. */
const countLimit = 5000
/** Share of the query's weight that the best ten must hold between them, else nothing fits. */
const minEvidence = 0.4
const evidenceDepth = 10
/** A query weighs no more than this many unknown words: a task description is not one question. */
const maxWeightWords = 8
/** In a store of fewer records, counts say little about what a word is worth, and any match is worth showing. */
const minRecordsForEvidence = 50
const minRecordsForScopeWeights = 100
/** The record that alone shares an identifier with the best one has at least this part of its score. */
const hopShare = 0.6
const maxHops = 12

type Counts = ReadonlyMap<string, number>
type Ranked = ReadonlyArray<readonly [row: number, score: number]>

/** As FTS5 has it. */
const storeWeight = (total: number, count: number) => Math.max(1e-6, Math.log((total - count + 0.5) / (count + 0.5)))
const scopeWeight = (total: number, count: number) => Math.log(1 + (total - count + 0.5) / (count + 0.5))

// Words and identifiers hold no quotes, so quoting them needs no escapes.
const anyOf = (words: ReadonlyArray<string>) =>
  `{summary tags content parts} : (${words.map((word) => `"${word}"`).join(" OR ")})`
const scopeOf = (query: SearchQuery): ReadonlyArray<string> => [
  ...(query.project === undefined ? [] : [`scope : "${projectWord(query.project)}"`]),
  ...(query.namespace === undefined ? [] : [`scope : "${namespaceWord(query.namespace)}"`])
]

const byScore = (a: readonly [number, number], b: readonly [number, number]) => b[1] - a[1] || a[0] - b[0]

export const makeSearch = (sql: Constructor) => {
  const countWords = (words: ReadonlyArray<string>, scope: ReadonlyArray<string>) =>
    Effect.forEach(words, (word) =>
      Effect.map(
        sql<{ n: number }>`SELECT count(*) AS n FROM
          (SELECT 1 FROM word_index WHERE word_index MATCH ${[...scope, anyOf([word])].join(" AND ")} LIMIT ${countLimit})`,
        ([found]) => [word, found?.n ?? 0] as const
      )
    ).pipe(Effect.map((entries): Counts => new Map(entries)))

  const countRecords = (query: SearchQuery) => {
    const scope = whereMemory(sql, {
      hidden: true,
      ...(query.project === undefined ? {} : { project: query.project }),
      ...(query.namespace === undefined ? {} : { namespace: query.namespace })
    })
    return Effect.map(
      sql<{ total: number; scoped: number }>`SELECT (SELECT count(*) FROM memories) AS total,
        (SELECT count(*) FROM (SELECT 1 FROM memories m WHERE ${scope} LIMIT ${countLimit})) AS scoped`,
      ([row]) => ({ total: row?.total ?? 0, scoped: row?.scoped ?? 0 })
    )
  }

  /** The scores of one word on the candidates. */
  const scoresOf = (word: string, scope: ReadonlyArray<string>, pool: string) =>
    // The plus keeps SQLite from running the match once per candidate.
    sql<{ row: number; score: number }>`SELECT rowid AS row, -bm25(word_index, 0, 2, 2, 1, 0.5) AS score FROM word_index
      WHERE word_index MATCH ${[...scope, anyOf([word])].join(" AND ")} AND +rowid IN (SELECT value FROM json_each(${pool}))`

  /** One hop from the best record, along its identifiers that occur in exactly one other. */
  const hop = (ranked: Ranked, query: SearchQuery, scope: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const [top] = ranked
      if (top === undefined) return ranked
      const texts = yield* sql<{ text: string }>`SELECT coalesce(summary, '') || char(10) || content AS text
        FROM memories WHERE row = ${top[0]}`
      const scores = new Map(ranked)
      for (const name of identifiers(texts[0]?.text ?? "").slice(0, maxHops)) {
        const having = yield* sql<{ row: number }>`SELECT m.row AS row
          FROM word_index CROSS JOIN memories m ON m.row = word_index.rowid
          WHERE word_index MATCH ${[...scope, anyOf([name])].join(" AND ")} AND ${whereMemory(sql, query)} LIMIT 3`
        if (having.length !== 2 || !having.some(({ row }) => row === top[0])) continue
        for (const { row } of having) scores.set(row, Math.max(scores.get(row) ?? 0, hopShare * top[1]))
      }
      return [...scores].sort(byScore)
    })

  const rank = (query: SearchQuery) =>
    Effect.gen(function* () {
      const words = queryWords(query.query, maxWordsRead)
      const counts = yield* countWords(words, [])
      const countOf = (word: string) => counts.get(word) ?? 0
      const known = words
        .filter((word) => countOf(word) > 0)
        .sort((a, b) => countOf(a) - countOf(b))
        .slice(0, maxWords)
      if (known.length === 0) return []

      const scope = scopeOf(query)
      // CROSS: the index is always the outer loop; the other way it would be matched once per record.
      const candidates = yield* sql<{ row: number; score: number }>`SELECT m.row AS row,
          -bm25(word_index, 0, 2, 2, 1, 0.5) AS score
        FROM word_index CROSS JOIN memories m ON m.row = word_index.rowid
        WHERE word_index MATCH ${[...scope, anyOf(known)].join(" AND ")} AND ${whereMemory(sql, query)}
        ORDER BY score DESC, m.row LIMIT ${poolSize}`
      const pool = JSON.stringify(candidates.map(({ row }) => row))
      const { total, scoped } = yield* countRecords(query)
      const perWord =
        total < minRecordsForEvidence
          ? []
          : yield* Effect.forEach(known, (word) =>
              Effect.map(scoresOf(word, scope, pool), (scores) => ({ word, scores }))
            )
      const ownWeights = scope.length > 0 && scoped >= minRecordsForScopeWeights && scoped < total / 2
      const ranked = yield* hop(
        ownWeights
          ? rescore(perWord, total, counts, scoped, yield* countWords(known, scope))
          : candidates.map(({ row, score }) => [row, score] as const),
        query,
        scope
      )
      if (total < minRecordsForEvidence) return ranked

      const best = new Set(ranked.slice(0, evidenceDepth).map(([row]) => row))
      const weigh = (of: ReadonlyArray<string>) => of.reduce((sum, word) => sum + storeWeight(total, countOf(word)), 0)
      const found = perWord.filter(({ scores }) => scores.some(({ row }) => best.has(row))).map(({ word }) => word)
      const whole = Math.min(weigh(words), maxWeightWords * storeWeight(total, 0))
      return weigh(found) < minEvidence * whole ? [] : ranked
    })

  const search = (query: SearchQuery) =>
    Effect.gen(function* () {
      const ranked = (yield* rank(query)).slice(0, limitOf(query.limit, 5, 100))
      const rows = JSON.stringify(ranked.map(([row]) => row))
      const stored = yield* decodeStored(
        yield* sql`SELECT ${sql.literal(columns)} FROM memories WHERE row IN (SELECT value FROM json_each(${rows}))`
      )
      const byRow = new Map(stored.map(({ row, memory }) => [row, memory]))
      return ranked.flatMap(([row, score]): ReadonlyArray<Hit> => {
        const memory = byRow.get(row)
        return memory === undefined ? [] : [{ memory, score }]
      })
    })

  return search
}

/** Puts the weight a word has in the scope in place of the one it has in the whole store. */
const rescore = (
  perWord: ReadonlyArray<{
    readonly word: string
    readonly scores: ReadonlyArray<{ readonly row: number; readonly score: number }>
  }>,
  total: number,
  counts: Counts,
  scoped: number,
  scopedCounts: Counts
): Ranked => {
  const sums = new Map<number, number>()
  for (const { word, scores } of perWord) {
    const factor = scopeWeight(scoped, scopedCounts.get(word) ?? 0) / storeWeight(total, counts.get(word) ?? 0)
    for (const { row, score } of scores) sums.set(row, (sums.get(row) ?? 0) + score * factor)
  }
  return [...sums].sort(byScore)
}
