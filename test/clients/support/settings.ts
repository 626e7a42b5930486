/** What scripts/clients.mjs says to the tests. */
import { tmpdir } from "node:os"

const { env } = process

/** Names of the programs to drive. */
export const wanted = (env["CONTEXTFS_TEST_CLIENTS"] ?? "claude,codex").split(",")
/** Every situation, also those that take long. */
export const full = env["CONTEXTFS_TEST_FULL"] === "1"
/** Names of the situations to try, while one works on them; default all. */
export const chosen = env["CONTEXTFS_TEST_SITUATIONS"]?.split(",")
/** Where homes and working folders are made. */
export const worlds = env["CONTEXTFS_TEST_FOLDER"] ?? tmpdir()
/** A normal user can read the programs, the repository and node. */
export const readableByAll = env["CONTEXTFS_TEST_NORMAL_USER"] === "1"
