/** The roles built in, as data alone. To add one: a file in `builtIn/`, and its name in the list below. */
import { code } from "./builtIn/code.js"
import { custom } from "./builtIn/custom.js"
import { debug } from "./builtIn/debug.js"
import { docs } from "./builtIn/docs.js"
import { orchestrator } from "./builtIn/orchestrator.js"
import { review } from "./builtIn/review.js"
import { test } from "./builtIn/test.js"
import type { Role } from "./Role.js"

/** In the order in which they are listed to people. */
export const builtIn: ReadonlyArray<Role> = [orchestrator, test, code, review, docs, debug, custom]
