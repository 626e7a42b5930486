/** The words of the memory, by themselves: who only needs these need not load a schema library. */

export const memoryTypes = [
  "fact",
  "decision",
  "procedural",
  "episodic",
  "user",
  "code",
  "error",
  "commit",
  "todo",
  "issue",
  "api",
  "schema",
  "test",
  "review",
  "release",
  "config",
  "dependency",
  "doc",
  "workflow",
  "task",
  "step",
  "agent_run"
] as const

/** In characters. */
const maxProject = 200

/** A label on one line: people read it in lists and type it on command lines. */
export const isProject = (name: string): boolean =>
  name.trim() !== "" && name.length <= maxProject && !/[\p{Cc}\u2028\u2029]/u.test(name)

export const projectExpected = `a name of at most ${maxProject} characters on one line`

export const relations = [
  "references",
  "referenced_by",
  "related_to",
  "contradicts",
  "supersedes",
  "superseded_by",
  "evolved_into",
  "evolved_from",
  "merged_into",
  "merged_from",
  "split_into",
  "split_from",
  "parent_of",
  "child_of",
  "part_of",
  "contains",
  "caused_by",
  "causes",
  "resolves",
  "resolved_by",
  "depends_on",
  "implements",
  "supports",
  "derived_from",
  "example_of"
] as const
