/** Who an agent of ContextFS is. */
export * as Prompt from "./Prompt.js"
export * as Protocol from "./Protocol.js"
export * as Role from "./Role.js"
export * as RoleError from "./RoleError.js"
export * as RoleFile from "./RoleFile.js"
export * as RoleRegistry from "./RoleRegistry.js"
export * as Trust from "./Trust.js"
