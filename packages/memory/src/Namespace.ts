/**
 * Where a directory belongs: the namespace its memories share, and what git says about it. Read from files, without a
 * git process. Also where our own data lives.
 */
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as internal from "./internal/namespace.js"

/** The parts of an `Identity` that come from a directory. */
export interface Place {
  /**
   * First of: `namespace_id` in `<repo>/.contextfs/config.yaml`; `repo-` and 12 hex digits of the SHA-256 of the
   * normalised git origin, which clones and worktrees share; `local-` and 12 hex digits of that of the repository's
   * real path; `global` outside of any repository.
   */
  readonly namespace: string
  /** Last part of the origin, else the name of the repository's folder. */
  readonly repo?: string
  readonly branch?: string
  /** Full hash of the commit that is checked out. */
  readonly commit?: string
}

/** The place of a directory, which need not exist; what cannot be read counts as absent. */
export const locate = (directory: string): Effect.Effect<Place> => Effect.sync(() => internal.locate(directory))

/** `host/org/repo`: ssh and https forms, users, ports, `.git` and slashes at the end make no difference. */
export const normaliseOrigin: (url: string) => string = internal.normaliseOrigin

/** Name of the memory's file in the data folder. */
export const databaseName = "memory.db"

/** The data folder: `CONTEXTFS_DATA_DIR`, else `.contextfs` in the home folder. Always absolute. */
export const dataDir = (env: { readonly [name: string]: string | undefined }, home: string): string => {
  const given = env["CONTEXTFS_DATA_DIR"] ?? ""
  if (given === "") return path.resolve(home, ".contextfs")
  return path.resolve(given === "~" || given.startsWith("~/") ? path.join(home, given.slice(1)) : given)
}
